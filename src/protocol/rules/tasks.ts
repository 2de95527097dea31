import type { Hex, Wei } from '#primitives'
import { auditAttempt, type Task } from '#records'
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

/** The ledger with a changed open task, or audit of one. */
export const withTask = (ledger: Ledger, task: Task): Ledger =>
  isAudit(task)
    ? { ...ledger, audits: ledger.audits.set(task.id, task) }
    : { ...ledger, tasks: ledger.tasks.set(task.id, task) }

/** Whether it is a task's second execution, for its audit. */
export const isAudit = ({ attempt }: Pick<Task, 'attempt'>): boolean => attempt === auditAttempt

/** What a statement about an attempt of a task speaks of: the open task, or its audit. */
export const drawnTask = (ledger: Ledger, id: Hex, attempt: number): Task | undefined =>
  isAudit({ attempt }) ? ledger.audits.get(id) : ledger.tasks.get(id)

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

/** Drops ended tasks whose ids can no longer be accepted again, and whose audits are over. */
export const forgetTasks = (ledger: Ledger, block: BlockFacts): Ledger => ({
  ...ledger,
  endedTasks: [...ledger.endedTasks.values()]
    .filter(({ id, deadlineMs }) => deadlineMs < block.timeMs && !ledger.audits.has(id))
    .reduce((table, { id }) => table.delete(id), ledger.endedTasks),
})
