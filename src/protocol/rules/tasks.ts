import type { Hex, Wei } from '#primitives'
import type { Task } from '#records'
import { balanceOf, type Ledger, withBalance } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'

/** The ledger with a changed open task. */
export const withTask = (ledger: Ledger, task: Task): Ledger => ({
  ...ledger,
  tasks: ledger.tasks.set(task.id, task),
})

/** A task by id, open or ended and still remembered. */
export const taskOf = (ledger: Ledger, id: Hex): Task | undefined =>
  ledger.tasks.get(id) ?? ledger.endedTasks.get(id)

/**
 * Ends a task and remembers it until its id could no longer be replayed. An expired one is refunded;
 * the fee of a settled one is the caller's to pay out.
 */
export function removeTask(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  end: { readonly status: 'settled' | 'expired'; readonly reason: string },
): Ledger {
  const ended: Task = {
    ...task,
    ...end,
    fee: 0n as Wei,
    deadlineMs: Math.max(task.request.validUntilMs, block.timeMs),
  }
  const moved: Ledger = {
    ...ledger,
    tasks: ledger.tasks.delete(task.id),
    endedTasks: ledger.endedTasks.set(task.id, ended),
  }
  return end.status === 'expired' ? credit(moved, task.request.client, task.fee) : moved
}

/** The ledger with more in an account. */
export const credit = (ledger: Ledger, account: Hex, amount: Wei): Ledger =>
  withBalance(ledger, account, (balanceOf(ledger, account) + amount) as Wei)

/** Drops ended tasks whose ids can no longer be accepted again. */
export const forgetTasks = (ledger: Ledger, block: BlockFacts): Ledger => ({
  ...ledger,
  endedTasks: [...ledger.endedTasks.values()]
    .filter(({ deadlineMs }) => deadlineMs < block.timeMs)
    .reduce((table, { id }) => table.delete(id), ledger.endedTasks),
})
