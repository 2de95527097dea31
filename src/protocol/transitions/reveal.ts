import { type Operator, resultDigest, type Statement } from '#records'
import type { Environment } from '../environment.ts'
import type { Ledger } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'
import { drawnTask, withTask } from '../rules/tasks.ts'

/** Takes a member's result when it is what its digest hid and the service finds it well-formed. */
export function reveal(
  ledger: Ledger,
  operator: Operator,
  statement: Statement & { kind: 'reveal' },
  environment: Environment,
): Outcome {
  const task = drawnTask(ledger, statement.task, statement.attempt)
  if (!task) return refuse('UnknownTask')
  if (task.attempt !== statement.attempt) return refuse('WrongAttempt')
  if (task.status !== 'revealing') return refuse('RevealsClosed')
  const member = task.committee.find((one) => one.operator === operator.id)
  if (!member) return refuse('NotInCommittee')
  if (member.digest === undefined) return refuse('NothingCommitted')
  if (member.result !== undefined) return refuse('AlreadyHeld')
  if (resultDigest({ ...statement, operator: operator.id }) !== member.digest)
    return refuse('DigestMismatch')
  const service = environment.services.get(task.request.service)
  if (!service || !('checkResult' in service)) return refuse('UnknownService')
  const verdict = service.checkResult(task.request.payload, statement.result)
  if (!verdict.ok) return refuse('InvalidResult', verdict.reason)
  const committee = task.committee.map((one) =>
    one === member ? { ...member, result: statement.result } : one,
  )
  return accept(withTask(ledger, { ...task, committee }))
}
