import type { Wei } from '#primitives'
import type { LeafExecuted, OperatorId, Task } from '#records'
import { type Ledger, operatorOf, withChain } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { creditEarning } from './scores.ts'
import { credit, removeTask } from './tasks.ts'

/** What follows from a leaf that L1 has executed: its task is paid and ends. */
export function settleLeaf(ledger: Ledger, event: LeafExecuted, block: BlockFacts): Ledger {
  const key = String(event.leafIndex)
  const delivery = ledger.deliveries.get(key)
  if (!delivery) return ledger
  const delivered = { ...ledger, deliveries: ledger.deliveries.delete(key) }
  const task = delivered.tasks.get(delivery.task)
  return task
    ? settleTask(delivered, task, block, event.success ? '' : 'ConsumerReverted')
    : delivered
}

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
  return removeTask(pooled, task, block, { status: 'settled', reason })
}
