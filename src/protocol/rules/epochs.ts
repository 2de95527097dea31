import { type Ledger, operatorsOf, withChain, withOperator } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import { closeCompetition, isCompeting } from './allocation/competition.ts'
import { halveTurns } from './allocation/turns.ts'
import { forgetTasks } from './tasks.ts'

/**
 * Closes the epoch at the first block with anything to do after its end: an idle network stays
 * bit-identical, however long it idles.
 */
export function advanceEpoch(ledger: Ledger, block: BlockFacts): Ledger {
  if (block.timeMs < ledger.chain.epochEndsMs || isCompeting(ledger, block)) return ledger
  const forgiven = operatorsOf(ledger).reduce(
    (next, operator) =>
      operator.silentSessions === 0
        ? next
        : withOperator(next, {
            ...operator,
            silentSessions: Math.floor(operator.silentSessions / 2),
          }),
    forgetTasks(halveTurns(closeCompetition(ledger)), block),
  )
  return withChain(forgiven, {
    epoch: ledger.chain.epoch + 1,
    epochEndsMs: block.timeMs + parameter(ledger, 'epochMs'),
  })
}
