import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '#primitives'
import { createEngine } from './engine.ts'
import type { Recover } from './recover.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Engine } from './types.ts'
import {
  toPlainError,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSetup,
} from './worker-protocol.ts'

// The thread of one operator's engine. It ends when the client closes it.

const port = parentPort
assert(port, 'this file is started as a worker')
const reply = (message: WorkerReply): void => port.postMessage(message)

try {
  const engine = await openEngine(workerData as WorkerSetup)
  port.on('message', (request: WorkerRequest) => answer(engine, request))
  reply({ kind: 'open' })
} catch (error) {
  reply({ kind: 'error', id: undefined, error: toPlainError(error) })
  port.close()
}

async function openEngine({ genesis, store, recoverModule }: WorkerSetup): Promise<Engine> {
  const { recover } = (await import(recoverModule)) as { recover: Recover }
  return createEngine({ genesis, store: openSqliteStore(store), recover })
}

async function answer(engine: Engine, { id, method, args }: WorkerRequest): Promise<void> {
  try {
    const run = engine[method] as (...args: readonly unknown[]) => Promise<unknown>
    reply({ kind: 'result', id, value: await run(...args) })
  } catch (error) {
    reply({ kind: 'error', id, error: toPlainError(error) })
  }
  if (method === 'close') port?.close()
}
