import { micro, type OperatorId } from '#records'
import type { Ledger, Turns } from '../../ledger.ts'

/** More than so much is neither owed nor held against anyone. */
export const maxOwed = 4 * micro

/** How the places of a service were given; nothing is owed before the first draw. */
export const turnsOf = (ledger: Ledger, service: string): Turns =>
  ledger.turns.get(service) ?? { drawn: 0, owed: new Map() }

/** The ledger after one draw: whoever was not in it is owed its share, who was has had a place. */
export function withTurn(
  ledger: Ledger,
  service: string,
  shares: ReadonlyMap<OperatorId, number>,
  chosen: readonly OperatorId[],
): Ledger {
  const { drawn, owed: before } = turnsOf(ledger, service)
  const owed = new Map(
    [...shares].map(([id, share]) => {
      const now = (before.get(id) ?? 0) + share - (chosen.includes(id) ? micro : 0)
      return [id, Math.max(-maxOwed, Math.min(maxOwed, now))]
    }),
  )
  return { ...ledger, turns: ledger.turns.set(service, { drawn: drawn + 1, owed }) }
}

/** The ledger in which each count of draws is half of what it was: an epoch is over. */
export const halveTurns = (ledger: Ledger): Ledger => ({
  ...ledger,
  turns: [...ledger.turns.entries()].reduce(
    (table, [name, turns]) => table.set(name, { ...turns, drawn: Math.floor(turns.drawn / 2) }),
    ledger.turns,
  ),
})
