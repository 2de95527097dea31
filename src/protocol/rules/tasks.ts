import type { Hex, Wei } from '#primitives'
import type { Task } from '#records'
import type { Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { credit } from './accounts.ts'

/** Most tasks that may be open at once: bounds what every block looks through. */
export const maxOpenTasks = 4096
/**
 * Most tasks that the ledger knows, open or ended: an ended one cannot be forgotten before its
 * `validUntilMs`, or it could be sent again. Bounds the ledger's size.
 */
export const maxKnownTasks = 65_536

/** The ledger with a changed open task. */
export const withTask = (ledger: Ledger, task: Task): Ledger => ({
  ...ledger,
  tasks: ledger.tasks.set(task.id, task),
})

/** A task by id, open or ended and still remembered. */
export const taskOf = (ledger: Ledger, id: Hex): Task | undefined =>
  ledger.tasks.get(id) ?? ledger.endedTasks.get(id)

/** Whether one more task may be accepted. */
export const hasRoomForTask = ({ tasks, endedTasks }: Ledger): boolean =>
  tasks.size < maxOpenTasks && tasks.size + endedTasks.size < maxKnownTasks

/**
 * Ends a task and remembers it until its id could no longer be replayed. An expired one is
 * refunded, and has cost nothing; the fee of a settled one is the caller's to pay out.
 */
export function endTask(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  end: { readonly status: 'settled' | 'expired'; readonly reason: string },
): Ledger {
  const ended: Task = {
    ...task,
    ...end,
    fee: end.status === 'expired' ? (0n as Wei) : task.fee,
    deadlineMs: Math.max(task.request.validUntilMs, block.timeMs),
  }
  const moved: Ledger = {
    ...ledger,
    tasks: ledger.tasks.delete(task.id),
    endedTasks: ledger.endedTasks.set(task.id, ended),
  }
  return end.status === 'expired' ? credit(moved, task.request.client, task.fee) : moved
}

/** Drops ended tasks whose ids can no longer be accepted again. */
export const forgetTasks = (ledger: Ledger, block: BlockFacts): Ledger => ({
  ...ledger,
  endedTasks: [...ledger.endedTasks.values()]
    .filter(({ deadlineMs }) => deadlineMs < block.timeMs)
    .reduce((table, { id }) => table.delete(id), ledger.endedTasks),
})
