import os from 'node:os'
import { workerData } from 'node:worker_threads'
import { giveWay } from '#primitives'
import { createQueries } from './queries.ts'
import type { Recover } from './recover.ts'
import { serveThread } from './serve.ts'
import { openSqliteReader } from './sqlite-store.ts'
import type { QueryWorkerSetup } from './worker-protocol.ts'

// The thread that answers one operator's queries, on its own view of the store. Its client ends it.

await serveThread(async () => {
  giveWay(os)
  const { genesis, file, recoverModule, stop } = workerData as QueryWorkerSetup
  const { recover } = (await import(recoverModule)) as { recover: Recover }
  const flag = new Int32Array(stop)
  const isStopped = () => Atomics.load(flag, 0) !== 0
  return createQueries({ genesis, store: openSqliteReader(file), recover, isStopped })
})
