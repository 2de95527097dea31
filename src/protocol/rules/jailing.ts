import { isMoreThanTwoThirds } from '#primitives'
import type { Misbehaviour, OperatorId } from '#records'
import { type Ledger, operatorOf, operatorsOf, totalPower, withOperator } from '../ledger.ts'

/**
 * Takes an operator out of draws and windows, and takes its vote. More than two thirds of the power
 * at genesis always stay: if so many have to go, the later ones keep their vote until the
 * membership changes, since a network without validators decides nothing any more.
 */
export function jail(ledger: Ledger, id: OperatorId): Ledger {
  const operator = operatorOf(ledger, id)
  if (!operator || operator.status === 'jailed') return ledger
  const left = totalPower(ledger) - operator.power
  const canSpare = isMoreThanTwoThirds(left, ledger.constants.power)
  return withOperator(ledger, {
    ...operator,
    status: 'jailed',
    power: canSpare ? 0n : operator.power,
  })
}

/**
 * Jails whoever consensus has proven to have voted twice. A key that no operator has, or has no
 * more, changes nothing.
 */
export function jailDoubleVoters(ledger: Ledger, misbehaviour: readonly Misbehaviour[]): Ledger {
  if (misbehaviour.length === 0) return ledger
  const keys = new Set(misbehaviour.map(({ consensusKey }) => consensusKey))
  return operatorsOf(ledger)
    .filter(({ consensusKey }) => keys.has(consensusKey))
    .reduce((next, { id }) => jail(next, id), ledger)
}
