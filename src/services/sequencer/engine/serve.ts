import { parentPort } from 'node:worker_threads'
import { assert } from '#primitives'
import { toPlainError, type WorkerReply, type WorkerRequest } from './worker-protocol.ts'

/** What a thread answers, by name. */
type Methods = Readonly<Record<string, unknown>>

/** Serves this thread's client until it is told to close. */
export async function serveThread(open: () => Promise<Methods>): Promise<void> {
  const port = parentPort
  assert(port, 'this file is started as a worker')
  const reply = (message: WorkerReply): void => port.postMessage(message)
  try {
    const methods = await open()
    port.on('message', async ({ id, method, args }: WorkerRequest) => {
      try {
        const run = methods[method] as (...args: readonly unknown[]) => Promise<unknown>
        reply({ kind: 'result', id, value: await run(...args) })
      } catch (error) {
        reply({ kind: 'error', id, error: toPlainError(error) })
      }
      if (method === 'close') port.close()
    })
    reply({ kind: 'open' })
  } catch (error) {
    reply({ kind: 'error', id: undefined, error: toPlainError(error) })
    port.close()
  }
}
