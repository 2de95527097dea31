import { createQueryClient, type QueryBounds, queryBounds } from './query-client.ts'
import { storeRemedy } from './sqlite-store.ts'
import { startThread } from './thread.ts'
import type { Engine } from './types.ts'
import { type BlockMethod, EngineWorkerError, type WorkerSetup } from './worker-protocol.ts'

/** Codes of what a store lacks although it must hold it. */
const lacks = ['MissingRow', 'MissingTrieNode', 'MissingCode']

/** An engine knows what it lacks, and this side which file that is in, and what helps. */
const naming = (file: string) => (error: unknown) => {
  if (!(error instanceof EngineWorkerError) || !lacks.includes(error.details.cause)) throw error
  const message = `${file} is damaged (${error.message}): ${storeRemedy}`
  throw new EngineWorkerError(message, error.details)
}

/**
 * An engine in threads of its own, so that executing blocks never holds up consensus: one builds
 * blocks and reads them, another, started by its first query, runs what clients may ask to be
 * computed. So no query, however long, holds up a block.
 *
 * @throws EngineWorkerError when it cannot open; `details.cause` is the code of the reason.
 */
export async function createWorkerEngine(
  setup: WorkerSetup,
  bounds: QueryBounds = queryBounds,
): Promise<Engine> {
  const thread = startThread('worker', setup)
  await thread.opened
  const queries = createQueryClient(setup, bounds)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await queries.close() // first: it reads what the other thread writes
    await thread.request('close', [])
    await thread.terminate()
  }
  const method =
    <Name extends BlockMethod>(name: Name) =>
    (...args: Parameters<Engine[Name]>): ReturnType<Engine[Name]> =>
      thread.request(name, args).catch(naming(setup.store.file)) as ReturnType<Engine[Name]>
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
    call: (message, ref, signal) => queries.call(message, ref, signal),
    estimateGas: (message, ref, signal) => queries.estimateGas(message, ref, signal),
    logs: (filter, signal) => queries.logs(filter, signal),
    restore: method('restore'),
    close: () => {
      closing ??= close()
      return closing
    },
  }
}
