import { fromHex, type Store } from '#primitives'
import { readL2Genesis } from '../state/genesis.ts'
import { findLogs } from './logs.ts'
import { createMachine } from './machine.ts'
import { headOf } from './reads.ts'
import type { Recover } from './recover.ts'
import { blockEntry, stateSource } from './rows.ts'
import { createSimulator } from './simulate.ts'
import type { IsStopped } from './stop.ts'
import type { Engine, QueryMethod } from './types.ts'

/** What queries are answered from. */
export type QueryOptions = {
  /** Genesis bytes of the L2. */
  readonly genesis: Uint8Array
  /** A store that an engine has opened; only read. */
  readonly store: Store
  readonly recover: Recover
  /** Asked again and again while a query runs: whether it shall end with `QueryStopped`. */
  readonly isStopped: IsStopped
}

/**
 * Accounts and nodes that simulations keep between them: they need no more than the few that
 * clients ask about again and again (about 10 MB).
 */
const maxKept = 20_000

/** Answers what makes work in proportion to what a client asks, in this thread, one at a time. */
export async function createQueries(options: QueryOptions): Promise<Pick<Engine, QueryMethod>> {
  const { genesis, store, recover, isStopped } = options
  const { parameters } = readL2Genesis(genesis)
  const newMachine = () =>
    createMachine(parameters, stateSource(store), fromHex(headOf(store).header.stateRoot), {
      recover,
      blockHashOf: (number) => blockEntry(store, number)?.hash,
      isStopped,
      maxKept,
    })
  return {
    ...(await createSimulator(store, newMachine, recover)),
    logs: async (filter) => findLogs(store, filter, isStopped),
  }
}
