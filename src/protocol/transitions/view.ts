import { isMoreThanOneThird } from '#primitives'
import type { L1View, Operator, Statement } from '#records'
import { type Ledger, operatorsOf, totalPower, withChain, withOperator } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'

/** Takes what an operator sees of L1; forks seen by more than a third of the power freeze it. */
export function view(
  ledger: Ledger,
  operator: Operator,
  statement: Statement & { kind: 'view' },
): Outcome {
  if (isSameView(operator.view, statement.view)) return refuse('AlreadyHeld')
  const seen = withOperator(ledger, { ...operator, view: statement.view })
  const forked = operatorsOf(seen)
    .filter((one) => one.view.fork)
    .reduce((sum, { power }) => sum + power, 0n)
  const frozen = isMoreThanOneThird(forked, totalPower(seen))
  return accept(frozen === seen.chain.frozen ? seen : withChain(seen, { frozen }))
}

const isSameView = (a: L1View, b: L1View): boolean =>
  a.block === b.block && a.events === b.events && a.digest === b.digest && a.fork === b.fork
