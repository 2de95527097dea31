import { assert, isMoreThanTwoThirds } from '#primitives'
import { type CommitteeMember, maxLeafBodyBytes, type ServiceSpec, type Task } from '#records'
import type { Environment } from '../environment.ts'
import type { Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import type { AssignedService } from '../service.ts'
import { type Agreement, agree, weightOf } from './agreement.ts'
import { judgeAudit, orderAudit, voidAudit } from './audits.ts'
import { withDelivery } from './deliveries.ts'
import { absence, isFirstDraw, observeAll, revealedOf } from './observing.ts'
import { appendLeaf } from './outbox.ts'
import type { Observation } from './scores.ts'
import { endTask, isAudit, withTask } from './tasks.ts'

/** Draws that a task may take: the first, and one more. */
const maxAttempts = 2

/** Closes every phase that is complete or out of time, in order of task id's hash; audits last. */
export const advanceTasks = (ledger: Ledger, block: BlockFacts, environment: Environment): Ledger =>
  [...ledger.tasks.values(), ...ledger.audits.values()].reduce(
    (next, task) => advance(next, task, block, environment),
    ledger,
  )

function advance(ledger: Ledger, task: Task, block: BlockFacts, environment: Environment): Ledger {
  if (task.status !== 'committing' && task.status !== 'revealing') return ledger
  const { spec, service } = serviceOf(ledger, task, environment)
  return task.status === 'committing'
    ? closeCommits(ledger, task, block, spec)
    : closeReveals(ledger, task, block, spec, service)
}

/** The terms that were agreed on and the code; a binary that lacks the code stops at genesis. */
function serviceOf(
  ledger: Ledger,
  { request: { service: name } }: Task,
  { services }: Environment,
): { readonly spec: ServiceSpec; readonly service: AssignedService } {
  const spec = ledger.services.get(name)
  const service = services.get(name)
  assert(spec && service && 'leafBody' in service, `${name} is an assigned service`)
  return { spec, service }
}

/**
 * Commits close at the deadline, or before: in the first draw when more than two thirds of the
 * weight is in, in the second only when all is. Who commits fast and never reveals could otherwise
 * shut out slower honest members twice, and so end any task.
 */
function closeCommits(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  { revealMs }: ServiceSpec,
): Ledger {
  const committed = weightOf(task.committee.filter(({ digest }) => digest !== undefined))
  const all = weightOf(task.committee)
  const isOver = block.timeMs >= task.deadlineMs
  const isEnough = isMoreThanTwoThirds(committed, all)
  if (isEnough && (isOver || isFirstDraw(task) || committed === all))
    return withTask(ledger, { ...task, status: 'revealing', deadlineMs: block.timeMs + revealMs })
  if (!isOver) return ledger
  return fail(ledger, task, block, 'TooFewCommits', ({ digest }) =>
    digest === undefined ? 'missing' : 'unsettled',
  )
}

/** Reveals close when every commit is revealed, or at the deadline; then the rule decides. */
function closeReveals(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  spec: ServiceSpec,
  service: AssignedService,
): Ledger {
  const isOpen = ({ digest, result }: CommitteeMember) =>
    digest !== undefined && result === undefined
  if (task.committee.some(isOpen) && block.timeMs < task.deadlineMs) return ledger
  const agreement = agree(spec, service, revealedOf(task), Number(weightOf(task.committee)))
  const failed = (reason: string) =>
    fail(ledger, task, block, reason, (member) =>
      member.result !== undefined ? 'unsettled' : absence(task, member),
    )
  if (!agreement.ok) return failed(agreement.reason)
  if (isAudit(task)) return judgeAudit(ledger, task, spec, service, agreement.result)
  const body = service.leafBody(task.request.payload, agreement.result, block.timeMs)
  return body.length > maxLeafBodyBytes
    ? failed('ResultTooLarge')
    : settleAgreement(ledger, task, block, spec, agreement, body)
}

/** The result becomes a leaf of the outbox; scores learn who agreed. */
function settleAgreement(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  spec: ServiceSpec,
  agreement: Agreement & { ok: true },
  body: Uint8Array,
): Ledger {
  const scored = observeAll(ledger, task, (member) => {
    if (agreement.agreeing.includes(member.operator)) return 'agreed'
    return agreement.outlying.includes(member.operator) ? 'outlying' : absence(task, member)
  })
  const behind = task.committee.filter(({ operator }) => agreement.agreeing.includes(operator))
  const { ledger: appended, index: leafIndex } = appendLeaf(scored, {
    service: spec.name,
    kind: 'result',
    subject: task.id,
    rule: spec.rule,
    agreeingWeight: Number(weightOf(behind)),
    committeeWeight: Number(weightOf(task.committee)),
    stakeWei: 0n, // the first version knows no stake; a leaf says so
    body,
  })
  const { result, agreeing } = agreement
  const agreed: Task = { ...task, status: 'agreed', result, agreeing, leafIndex }
  const delivery = { leafIndex, task: task.id, assignee: 0, landedMs: 0 }
  return orderAudit(withTask(withDelivery(appended, delivery), agreed), agreed, spec, block)
}

/** Without agreement: one more draw in the next block with randomness, then refund. */
function fail(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  reason: string,
  judge: (member: CommitteeMember) => Observation,
): Ledger {
  const scored = observeAll(ledger, task, judge)
  if (isAudit(task)) return voidAudit(scored, task)
  return task.attempt < maxAttempts
    ? withTask(scored, { ...task, status: 'accepted', acceptedHeight: block.height, committee: [] })
    : endTask(scored, task, block, { status: 'expired', reason })
}
