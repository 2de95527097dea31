import { isMoreThanTwoThirds } from '#primitives'
import type { CommitteeMember, OperatorId, Task } from '#records'
import type { Environment } from '../environment.ts'
import type { Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import type { AssignedService, Revealed } from '../service.ts'
import { type Agreement, agree } from './agreement.ts'
import { appendLeaf } from './outbox.ts'
import { type Observation, observe } from './scores.ts'
import { removeTask, withTask } from './tasks.ts'

/** Draws that a task may take: the first, and one more. */
const maxAttempts = 2

/** Closes every phase that is complete or out of time, in order of task id's hash. */
export const advanceTasks = (ledger: Ledger, block: BlockFacts, environment: Environment): Ledger =>
  [...ledger.tasks.values()].reduce((next, task) => advance(next, task, block, environment), ledger)

function advance(ledger: Ledger, task: Task, block: BlockFacts, environment: Environment): Ledger {
  const service = environment.services.get(task.request.service)
  if (!service || !('leafBody' in service)) return ledger
  if (task.status === 'committing') return closeCommits(ledger, task, block)
  return task.status === 'revealing' ? closeReveals(ledger, task, block, service) : ledger
}

/** Commits close when more than two thirds of the weight is in, or at the deadline. */
function closeCommits(ledger: Ledger, task: Task, block: BlockFacts): Ledger {
  const committed = task.committee.filter(({ digest }) => digest !== undefined)
  if (isMoreThanTwoThirds(weightOf(committed), weightOf(task.committee))) {
    const spec = ledger.services.get(task.request.service)
    const deadlineMs = block.timeMs + (spec?.revealMs ?? 0)
    return withTask(ledger, { ...task, status: 'revealing', deadlineMs })
  }
  return block.timeMs < task.deadlineMs
    ? ledger
    : fail(ledger, task, block, 'TooFewCommits', ({ digest }) =>
        digest === undefined ? 'missing' : 'unsettled',
      )
}

/** Reveals close when every commit is revealed, or at the deadline; then the rule decides. */
function closeReveals(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  service: AssignedService,
): Ledger {
  const isOpen = ({ digest, result }: CommitteeMember) =>
    digest !== undefined && result === undefined
  if (task.committee.some(isOpen) && block.timeMs < task.deadlineMs) return ledger
  const agreement = agree(service, revealedOf(task), Number(weightOf(task.committee)))
  return agreement.ok
    ? settleAgreement(ledger, task, block, service, agreement)
    : fail(ledger, task, block, agreement.reason, (member) =>
        member.result !== undefined ? 'unsettled' : member.digest ? 'missing' : 'late',
      )
}

/** The result becomes a leaf of the outbox; scores learn who agreed. */
function settleAgreement(
  ledger: Ledger,
  task: Task,
  block: BlockFacts,
  service: AssignedService,
  agreement: Agreement & { ok: true },
): Ledger {
  const members = new Map(task.committee.map((member) => [member.operator, member]))
  const scored = observeAll(ledger, task, ({ operator, digest }) => {
    if (agreement.agreeing.includes(operator)) return 'agreed'
    if (agreement.outlying.includes(operator)) return 'outlying'
    return digest ? 'missing' : 'late'
  })
  const agreeingWeight = agreement.agreeing.reduce(
    (sum, id) => sum + (members.get(id)?.weight ?? 0),
    0,
  )
  const appended = appendLeaf(scored, {
    service: task.request.service,
    kind: 'result',
    subject: task.id,
    rule: service.spec.rule,
    agreeingWeight,
    committeeWeight: Number(weightOf(task.committee)),
    stakeWei: 0n, // the first version knows no stake; a leaf says so
    body: service.leafBody(task.request.payload, agreement.result, block.timeMs),
  })
  const delivery = { leafIndex: appended.index, task: task.id, assignee: 0, landedMs: 0 }
  return withTask(
    {
      ...appended.ledger,
      deliveries: appended.ledger.deliveries.set(String(appended.index), delivery),
    },
    {
      ...task,
      status: 'agreed',
      result: agreement.result,
      agreeing: agreement.agreeing,
      leafIndex: appended.index,
    },
  )
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
  return task.attempt < maxAttempts
    ? withTask(scored, { ...task, status: 'accepted', acceptedHeight: block.height, committee: [] })
    : removeTask(scored, task, block, { status: 'expired', reason })
}

const observeAll = (
  ledger: Ledger,
  task: Task,
  judge: (member: CommitteeMember) => Observation,
): Ledger =>
  task.committee.reduce(
    (next, member) => observe(next, task.request.service, member.operator, judge(member)),
    ledger,
  )

const revealedOf = (task: Task): readonly Revealed[] =>
  task.committee.flatMap(({ operator, weight, result }) =>
    result === undefined ? [] : [{ operator, weight, result }],
  )

const weightOf = (members: readonly { readonly operator: OperatorId; weight: number }[]): bigint =>
  members.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
