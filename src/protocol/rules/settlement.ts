import type { Wei } from '#primitives'
import type { OperatorId, Task } from '#records'
import { type Ledger, operatorOf, withChain } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { credit } from './accounts.ts'
import { creditEarning } from './scores.ts'
import { endTask } from './tasks.ts'

/** Pays the fee to those who agreed, by weight; the pool gains the dust. */
export function settleTask(ledger: Ledger, task: Task, block: BlockFacts, reason: string): Ledger {
  const weights = new Map(task.committee.map(({ operator, weight }) => [operator, weight]))
  const weightOf = (id: OperatorId) => BigInt(weights.get(id) ?? 0)
  const total = task.agreeing.reduce((sum, id) => sum + weightOf(id), 0n)
  let paid = 0n
  let next = ledger
  for (const id of task.agreeing) {
    const operator = operatorOf(next, id)
    if (!operator || total === 0n) continue
    const share = ((task.fee * weightOf(id)) / total) as Wei
    next = credit(next, operator.ledgerAddress, share)
    next = creditEarning(next, task.request.service, id, share)
    paid += share
  }
  const pooled = withChain(next, { pool: (next.chain.pool + task.fee - paid) as Wei })
  return endTask(pooled, task, block, { status: 'settled', reason })
}
