import type { Wei } from '#primitives'
import { type Task, type Transaction, taskDigest } from '#records'
import type { Environment } from '../environment.ts'
import { balanceOf, type Ledger, withBalance } from '../ledger.ts'
import { accept, type BlockFacts, type Outcome, refuse } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import { hasRoomForTask, taskOf, withTask } from '../rules/tasks.ts'

/** Accepts a client's task and reserves its fee. */
export function task(
  ledger: Ledger,
  { request, signature }: Transaction & { kind: 'task' },
  block: BlockFacts,
  environment: Environment,
): Outcome {
  const spec = ledger.services.get(request.service)
  const service = environment.services.get(request.service)
  if (!spec || !service || !('leafBody' in service))
    return refuse('UnknownService', request.service)
  const horizonMs = parameter(ledger, 'taskHorizonMs')
  if (request.validUntilMs < block.timeMs) return refuse('TaskTooLate')
  if (request.validUntilMs > block.timeMs + horizonMs)
    return refuse('TaskTooEarly', `validUntilMs is more than ${horizonMs} ms ahead`)
  if (request.maxFee < spec.fee) return refuse('FeeTooLow', `the fee is ${spec.fee} wei`)
  const verdict = service.check(request.payload)
  if (!verdict.ok) return refuse(verdict.reason, verdict.detail)
  const id = taskDigest(ledger.constants.network, request)
  if (taskOf(ledger, id)) return refuse('KnownTask')
  if (!hasRoomForTask(ledger)) return refuse('TooManyTasks')
  if (environment.recoverAddress(id, signature) !== request.client) return refuse('BadSignature')
  const balance = balanceOf(ledger, request.client)
  if (balance < spec.fee) return refuse('InsufficientBalance', `${balance} of ${spec.fee} wei`)
  const reserved = withBalance(ledger, request.client, (balance - spec.fee) as Wei)
  const accepted: Task = {
    id,
    request,
    status: 'accepted',
    fee: spec.fee,
    attempt: 0,
    acceptedHeight: block.height,
    drawnHeight: 0,
    deadlineMs: 0,
    committee: [],
    result: undefined,
    agreeing: [],
    leafIndex: 0,
    reason: '',
    audit: 'none',
  }
  return accept(withTask(reserved, accepted))
}
