import { Worker } from 'node:worker_threads'
import { moduleBeside } from '#primitives'
import {
  EngineWorkerError,
  type PlainError,
  type WorkerReply,
  type WorkerRequest,
} from './worker-protocol.ts'

/** A thread that answers requests by name. */
export type Thread = {
  /** Settles once: it serves, or why it does not. Requests need not wait for it. */
  readonly opened: Promise<void>
  /** @throws EngineWorkerError with the code that the failure had there. */
  request(method: string, args: readonly unknown[]): Promise<unknown>
  /** Whether it has failed or ended: then it answers nothing any more. */
  hasEnded(): boolean
  /** Ends it wherever it is, even inside a loop; what it still owed fails with `EngineClosed`. */
  terminate(): Promise<void>
}

/**
 * Starts a module beside this one as a thread.
 *
 * @param maxHeapMb - JavaScript objects above which the thread alone ends, as `EngineFailed`.
 */
export function startThread(name: string, workerData: unknown, maxHeapMb?: number): Thread {
  const resourceLimits = maxHeapMb === undefined ? {} : { maxOldGenerationSizeMb: maxHeapMb }
  const worker = new Worker(moduleBeside(name, import.meta.url), { workerData, resourceLimits })
  const calls = new Map<number, Call>()
  let failure: EngineWorkerError | undefined
  const opening = Promise.withResolvers<void>()
  opening.promise.catch(() => {}) // who waits for it sees it too
  const failAll = (error: EngineWorkerError): void => {
    failure ??= error
    opening.reject(error)
    for (const call of calls.values()) call.reject(error)
    calls.clear()
  }
  worker.on('error', (error) => failAll(workerError('EngineFailed', String(error))))
  worker.on('exit', () => failAll(workerError('EngineClosed', 'the engine has ended')))
  worker.on('message', (reply: WorkerReply) => {
    if (reply.kind === 'open') opening.resolve()
    else if (reply.kind === 'error' && reply.id === undefined) failAll(errorOf(reply.error))
    else settle(calls, reply)
  })
  let nextId = 0
  return {
    opened: opening.promise,
    request: (method, args) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        const id = nextId++
        calls.set(id, { resolve, reject })
        worker.postMessage({ id, method, args } satisfies WorkerRequest)
      }),
    hasEnded: () => failure !== undefined,
    terminate: async () => {
      await worker.terminate()
    },
  }
}

type Call = { resolve(value: unknown): void; reject(error: Error): void }

function settle(calls: Map<number, Call>, reply: Exclude<WorkerReply, { kind: 'open' }>): void {
  if (reply.id === undefined) return
  const call = calls.get(reply.id)
  calls.delete(reply.id)
  if (reply.kind === 'result') call?.resolve(reply.value)
  else call?.reject(errorOf(reply.error))
}

const errorOf = ({ code, message, details }: PlainError): EngineWorkerError =>
  new EngineWorkerError(message, { cause: code, details })

const workerError = (cause: string, message: string): EngineWorkerError =>
  new EngineWorkerError(message, { cause, details: {} })
