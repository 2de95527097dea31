import { workerData } from 'node:worker_threads'
import { createBlockEngine } from './engine.ts'
import type { Recover } from './recover.ts'
import { serveThread } from './serve.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { WorkerSetup } from './worker-protocol.ts'

// The thread that builds one operator's blocks, and reads them. It ends when the client closes it.

await serveThread(async () => {
  const { genesis, store, recoverModule, keptBlocks } = workerData as WorkerSetup
  const { recover } = (await import(recoverModule)) as { recover: Recover }
  return createBlockEngine({ genesis, store: openSqliteStore(store), recover, keptBlocks })
})
