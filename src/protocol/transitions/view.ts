import type { L1View, Operator, Statement } from '#records'
import { type Ledger, withOperator } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'

/** Takes what an operator sees of L1 in place of what it saw before. */
export function view(
  ledger: Ledger,
  operator: Operator,
  statement: Statement & { kind: 'view' },
): Outcome {
  if (isSameView(operator.view, statement.view)) return refuse('AlreadyHeld')
  return accept(withOperator(ledger, { ...operator, view: statement.view }))
}

const isSameView = (a: L1View, b: L1View): boolean =>
  a.block === b.block && a.events === b.events && a.digest === b.digest && a.fork === b.fork
