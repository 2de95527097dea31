import fc from 'fast-check'
import type { Wei } from '#primitives'
import { type Ledger, type TableName, tableNames } from '#protocol'
import { LedgerNetwork } from '../../../../test/support/ledger-network.ts'

/** A network's first ledger; its constants and environment do not matter to a store. */
export const genesisOfTest: Ledger = new LedgerNetwork(4).ledger

/** Changes of one block: amounts and bytes by key, undefined to delete. */
export type Changes = readonly {
  readonly table: 'accounts' | 'states' | 'votes'
  readonly key: string
  readonly value: number | undefined
}[]

const change = fc.record({
  table: fc.constantFrom('accounts' as const, 'states' as const, 'votes' as const),
  key: fc.integer({ min: 0, max: 40 }).map((key) => `key ${key}`),
  value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
})

/** Blocks that change little, much or nothing. */
export const blocksOfChanges: fc.Arbitrary<Changes[]> = fc.array(
  fc.array(change, { maxLength: 25 }),
  { minLength: 1, maxLength: 8 },
)

/** The ledger after a block of changes; the very same one when there are none. */
export function withChanges(ledger: Ledger, changes: Changes): Ledger {
  let { accounts, states, votes, chain } = ledger
  for (const { table, key, value } of changes) {
    if (table === 'accounts')
      accounts = value === undefined ? accounts.delete(key) : accounts.set(key, wei(value))
    if (table === 'votes')
      votes = value === undefined ? votes.delete(key) : votes.set(key, BigInt(value))
    if (table === 'states')
      states = value === undefined ? states.delete(key) : states.set(key, bytesOf(value))
    chain = { ...chain, epoch: chain.epoch + 1 }
  }
  return changes.length === 0 ? ledger : { ...ledger, accounts, states, votes, chain }
}

const wei = (value: number) => BigInt(value) as Wei
const bytesOf = (value: number) => new Uint8Array(40 * value)

/** Everything in a ledger, read through. */
export const contentOf = (ledger: Ledger) => ({
  chain: ledger.chain,
  tables: Object.fromEntries(
    tableNames.map((name: TableName) => [name, [...ledger[name].entries()]]),
  ),
})
