import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Engine } from './types.ts'
import {
  type EngineMethod,
  EngineWorkerError,
  type PlainError,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSetup,
} from './worker-protocol.ts'

/**
 * An engine in a thread of its own, so that executing blocks never holds up consensus.
 *
 * @throws EngineWorkerError when it cannot open; `details.cause` is the code of the reason.
 */
export async function createWorkerEngine(setup: WorkerSetup): Promise<Engine> {
  const worker = new Worker(siblingModule('worker'), { workerData: setup })
  const calls = new Map<number, Call>()
  let failure: EngineWorkerError | undefined
  const failAll = (error: EngineWorkerError): void => {
    failure ??= error
    for (const call of calls.values()) call.reject(error)
    calls.clear()
  }
  worker.on('error', (error) => failAll(workerError('EngineFailed', String(error))))
  worker.on('exit', () => failAll(workerError('EngineClosed', 'the engine has ended')))
  const [opened] = (await Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(() => [undefined]),
  ])) as [WorkerReply | undefined]
  if (opened?.kind !== 'open') throw openError(opened)
  worker.on('message', (reply: WorkerReply) => settle(calls, reply))
  let nextId = 0
  const request = (method: EngineMethod, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure)
      const id = nextId++
      calls.set(id, { resolve, reject })
      worker.postMessage({ id, method, args } satisfies WorkerRequest)
    })
  return engineOf(request, async () => {
    await request('close', [])
    await worker.terminate()
  })
}

type Call = { resolve(value: unknown): void; reject(error: Error): void }

/** A module beside this one, with this one's extension: `.ts` from source, `.js` when built. */
const siblingModule = (name: string): URL =>
  new URL(`./${name}${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)

function settle(calls: Map<number, Call>, reply: WorkerReply): void {
  if (reply.kind === 'open' || reply.id === undefined) return
  const call = calls.get(reply.id)
  calls.delete(reply.id)
  if (reply.kind === 'result') call?.resolve(reply.value)
  else call?.reject(errorOf(reply.error))
}

const openError = (reply: WorkerReply | undefined): EngineWorkerError =>
  reply?.kind === 'error'
    ? errorOf(reply.error)
    : workerError('EngineFailed', 'the engine ended while it opened')

const errorOf = ({ code, message, details }: PlainError): EngineWorkerError =>
  new EngineWorkerError(message, { cause: code, details })

const workerError = (cause: string, message: string): EngineWorkerError =>
  new EngineWorkerError(message, { cause, details: {} })

/** Every method as a message to the worker. */
function engineOf(
  request: (method: EngineMethod, args: readonly unknown[]) => Promise<unknown>,
  close: () => Promise<void>,
): Engine {
  const method =
    <Name extends EngineMethod>(name: Name) =>
    (...args: Parameters<Engine[Name]>): ReturnType<Engine[Name]> =>
      request(name, args) as ReturnType<Engine[Name]>
  return {
    head: method('head'),
    execute: method('execute'),
    block: method('block'),
    receipts: method('receipts'),
    transaction: method('transaction'),
    accounts: method('accounts'),
    account: method('account'),
    code: method('code'),
    storage: method('storage'),
    call: method('call'),
    estimateGas: method('estimateGas'),
    logs: method('logs'),
    close,
  }
}
