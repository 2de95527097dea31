import type { Operator, Statement } from '#records'
import type { Ledger } from '../ledger.ts'
import { accept, type BlockFacts, type Outcome, refuse } from '../outcome.ts'
import { drawnTask, withTask } from '../rules/tasks.ts'

/** Takes a member's blinded digest while commits are open; the first one counts. */
export function commit(
  ledger: Ledger,
  operator: Operator,
  statement: Statement & { kind: 'commit' },
  block: BlockFacts,
): Outcome {
  const task = drawnTask(ledger, statement.task, statement.attempt)
  if (!task) return refuse('UnknownTask')
  if (task.attempt !== statement.attempt) return refuse('WrongAttempt')
  if (task.status !== 'committing') return refuse('CommitsClosed')
  const member = task.committee.find((one) => one.operator === operator.id)
  if (!member) return refuse('NotInCommittee')
  if (member.digest !== undefined) return refuse('AlreadyHeld')
  const changed = { ...member, digest: statement.digest, committedAt: block.height }
  const committee = task.committee.map((one) => (one === member ? changed : one))
  return accept(withTask(ledger, { ...task, committee }))
}
