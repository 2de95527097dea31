import type { Validator } from '#records'
import { type Ledger, operatorsOf } from './ledger.ts'

/** Every operator as consensus sees it, in ascending order of id; power 0 has no vote. */
export const validatorsOf = (ledger: Ledger): readonly Validator[] =>
  operatorsOf(ledger).map(({ consensusKey, power }) => ({ consensusKey, power }))

/** Whose power a block has changed: what consensus is told, and follows two heights later. */
export function validatorUpdates(before: Ledger, after: Ledger): readonly Validator[] {
  if (before.operators === after.operators) return []
  const known = new Map(validatorsOf(before).map((one) => [one.consensusKey, one.power]))
  return validatorsOf(after).filter(({ consensusKey, power }) => known.get(consensusKey) !== power)
}
