import { isSameDeclaration, type Operator, type Statement } from '#records'
import { type Ledger, withOperator } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'

/**
 * Takes what an operator says of itself. The next inputs that are frozen count with it, so that it
 * acts from the next epoch, or the one after it when they are frozen already.
 */
export function declare(
  ledger: Ledger,
  operator: Operator,
  { declaration }: Statement & { kind: 'declare' },
): Outcome {
  const { costs, group } = declaration
  const stranger = costs.find(({ service }) => ledger.services.get(service)?.mode !== 'assigned')
  if (stranger) return refuse('UnknownService', stranger.service)
  const isRising = costs.every(({ service }, place) => (costs[place - 1]?.service ?? '') < service)
  if (!isRising) return refuse('BadDeclaration', 'costs: each service once, in ascending order')
  if (!groupShape.test(group)) return refuse('BadDeclaration', 'group: of a-z, 0-9, - and . alone')
  if (operator.declared && isSameDeclaration(operator.declared, declaration))
    return refuse('AlreadyHeld')
  return accept(withOperator(ledger, { ...operator, declared: declaration }))
}

/** One spelling a name: what differs in case or blanks alone would be two groups. */
const groupShape = /^[a-z0-9.-]*$/
