import { assert, fromHex, randomStream, sha256, utf8, type Wei } from '#primitives'
import {
  type AuditState,
  auditAttempt,
  type CommitteeMember,
  maxCommittee,
  micro,
  type OperatorId,
  type ServiceSpec,
  type Task,
} from '#records'
import type { Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import type { AssignedService } from '../service.ts'
import { isSameOutcome, weightOf } from './agreement.ts'
import { sharesOf } from './allocation/shares.ts'
import { freshMember, sampleCommittee } from './draw.ts'
import { absence, observeAll, revealedOf } from './observing.ts'
import { observeAudit } from './scores.ts'
import { taskOf, withTask } from './tasks.ts'

/**
 * Audits under way at once; tasks whose lot falls on them beyond that are not audited. An auditor
 * is asked for one statement at a time by each, beside what its tasks ask for: all fit one report.
 */
export const maxOpenAudits = 64
/** An audit has twice the places of what it audits, so that it is harder to capture. */
const auditorsPerMember = 2

/** Puts a task that was agreed on into the next lot, where it can be executed again. */
export function orderAudit(
  ledger: Ledger,
  agreed: Task,
  { auditToleranceBps }: ServiceSpec,
  block: BlockFacts,
): Ledger {
  if (auditToleranceBps === undefined || parameter(ledger, 'auditPpm') === 0) return ledger
  return withTask(ledger, {
    ...agreed,
    status: 'accepted',
    attempt: auditAttempt,
    acceptedHeight: block.height,
    fee: 0n as Wei,
    committee: [],
    result: undefined,
    agreeing: [],
  })
}

/**
 * Throws the lots of tasks agreed on at the end of an earlier block, and draws the auditors of
 * those that are hit; call only with fresh randomness. Nobody knew it when the committee committed,
 * and so nobody can tell which lie will be looked at.
 */
export const drawAudits = (ledger: Ledger, block: BlockFacts): Ledger =>
  [...ledger.audits.values()]
    .filter(({ status }) => status === 'accepted')
    .reduce((next, audit) => draw(next, audit, block), ledger)

function draw(ledger: Ledger, audit: Task, block: BlockFacts): Ledger {
  const dropped = { ...ledger, audits: ledger.audits.delete(audit.id) }
  if (!isHit(ledger, audit) || openAudits(ledger) >= maxOpenAudits) return dropped
  const { task, spec } = auditedBy(ledger, audit)
  const drawn = drawAuditors(ledger, task, spec)
  if (!canOutweigh(drawn, task)) return dropped
  const opened = withTask(ledger, {
    ...audit,
    status: 'committing',
    drawnHeight: block.height,
    deadlineMs: block.timeMs + spec.commitMs,
    committee: drawn.map(freshMember),
  })
  return withAuditState(opened, task, 'open')
}

function isHit(ledger: Ledger, { id }: Task): boolean {
  const seed = sha256(utf8('NodeOP audit'), fromHex(ledger.chain.mix), fromHex(id))
  return randomStream(seed).nextBelow(micro) < parameter(ledger, 'auditPpm')
}

const openAudits = ({ audits }: Ledger): number =>
  [...audits.values()].filter(({ status }) => status !== 'accepted').length

/** The audited task, which is remembered for as long as its audit lasts, and its service. */
function auditedBy(
  ledger: Ledger,
  { id }: Task,
): { readonly task: Task; readonly spec: ServiceSpec } {
  const task = taskOf(ledger, id)
  const spec = task && ledger.services.get(task.request.service)
  assert(task && spec, 'an audited task is known')
  return { task, spec }
}

/** By shares as any committee, from those who had no part in the task. It takes nobody's turn. */
function drawAuditors(ledger: Ledger, task: Task, spec: ServiceSpec): readonly OperatorId[] {
  const involved = new Set(task.committee.map(({ operator }) => operator))
  const others = [...sharesOf(ledger, spec)].filter(([id]) => !involved.has(id))
  const seats = Math.min(maxCommittee, auditorsPerMember * task.committee.length)
  return sampleCommittee(ledger, { id: task.id, attempt: auditAttempt }, others, seats)
}

/** Whether auditors, with those who did not agree, could outweigh those who did: else none. */
const canOutweigh = (auditors: readonly OperatorId[], { committee, agreeing }: Task): boolean =>
  auditors.length + committee.length > 2 * agreeing.length

/**
 * Compares the auditors' outcome with the agreed result. Where they contradict each other, the one
 * holds that more members of both committees stand behind: auditors can be captured too. All who
 * revealed are judged by it; the agreed result, and its payment, stay.
 *
 * @param outcome - what the auditors' results come to by the service's rule.
 */
export function judgeAudit(
  ledger: Ledger,
  audit: Task,
  spec: ServiceSpec,
  service: AssignedService,
  outcome: Uint8Array,
): Ledger {
  const { task } = auditedBy(ledger, audit)
  const { result: agreed } = task
  assert(agreed, 'an audited task has a result')
  const isBehind = (one: Uint8Array) => (member: Pick<CommitteeMember, 'result'>) =>
    member.result !== undefined && isSameOutcome(spec, service, one, member.result)
  const results = [...revealedOf(task), ...revealedOf(audit)]
  const behind = (one: Uint8Array) => weightOf(results.filter(isBehind(one)))
  const margin = isSameOutcome(spec, service, outcome, agreed)
    ? 1n
    : behind(agreed) - behind(outcome)
  if (margin === 0n) return undecided(ledger, audit)
  const isTrue = isBehind(margin > 0n ? agreed : outcome)
  const auditorsJudged = observeAll(ledger, audit, (member) => {
    if (member.result === undefined) return absence(audit, member)
    return isTrue(member) ? 'agreed' : 'outlying'
  })
  const allJudged = revealedOf(task).reduce((next, one) => {
    const verdict = isTrue(one) ? 'upheld' : 'refuted'
    return observeAudit(next, spec.name, one.operator, verdict)
  }, auditorsJudged)
  return endAudit(allJudged, audit, margin > 0n ? 'upheld' : 'refuted')
}

/** As many stand behind one outcome as behind the other: nobody who revealed is judged. */
const undecided = (ledger: Ledger, audit: Task): Ledger =>
  voidAudit(
    observeAll(ledger, audit, (member) =>
      member.result === undefined ? absence(audit, member) : 'unsettled',
    ),
    audit,
  )

/** Ends an audit that came to nothing. */
export const voidAudit = (ledger: Ledger, audit: Task): Ledger => endAudit(ledger, audit, 'void')

const endAudit = (ledger: Ledger, audit: Task, state: AuditState): Ledger =>
  withAuditState(
    { ...ledger, audits: ledger.audits.delete(audit.id) },
    auditedBy(ledger, audit).task,
    state,
  )

/** Notes in the task, open or ended, how its audit stands. */
function withAuditState(ledger: Ledger, task: Task, audit: AuditState): Ledger {
  const changed = { ...task, audit }
  return ledger.tasks.has(task.id)
    ? withTask(ledger, changed)
    : { ...ledger, endedTasks: ledger.endedTasks.set(task.id, changed) }
}
