import type { CommitteeMember, Task } from '#records'
import type { Ledger } from '../ledger.ts'
import type { Revealed } from '../service.ts'
import { latencyOf, type Observation, observe } from './scores.ts'

/** The ledger after every member of a committee was judged. */
export const observeAll = (
  ledger: Ledger,
  task: Task,
  judge: (member: CommitteeMember) => Observation,
): Ledger =>
  task.committee.reduce((next, member) => {
    const { service } = task.request
    return observe(next, service, member.operator, judge(member), latencyOf(task, member))
  }, ledger)

/** Whether this is a task's first draw. */
export const isFirstDraw = ({ attempt }: Task): boolean => attempt === 1

/**
 * What it means that a member has revealed nothing: in the first draw, others may have been faster.
 */
export const absence = (task: Task, { digest }: CommitteeMember): Observation =>
  digest === undefined && isFirstDraw(task) ? 'late' : 'missing'

/** What was validly revealed. */
export const revealedOf = ({ committee }: Pick<Task, 'committee'>): readonly Revealed[] =>
  committee.flatMap(({ operator, weight, result }) =>
    result === undefined ? [] : [{ operator, weight, result }],
  )
