import { oneWad, type Wad, type Wei, wad } from '#primitives'
import { type CommitteeMember, maxUint256, type OperatorId, type Task } from '#records'
import type { Ledger, Score } from '../ledger.ts'

/**
 * What one task showed of one drawn operator. Late: it had not committed when commits closed before
 * their deadline. Missing: it did not commit by the deadline, or did not reveal what it had
 * committed. Unsettled: it did what it owed, but the committee came to nothing.
 */
export type Observation = 'agreed' | 'outlying' | 'late' | 'missing' | 'unsettled'

/** Weight of the newest observation in a moving average: one eighth, a half-life of five. */
const newestWeight = 8n
/** What trust keeps of its evidence at each new piece: fifteen of sixteen parts. */
const memory = { kept: 15n, of: 16n } as const
/** What it keeps at each epoch's end: three of four, so that nobody is condemned for ever. */
const epochMemory = { kept: 3n, of: 4n } as const
/** After so many epochs nothing is left of any evidence. */
const forgottenEpochs = 256
/** A broken duty weighs three times a kept one: trust is slow to gain and fast to lose. */
const brokenWeight = 3n
/**
 * Evidence of a result that an audit contradicts: as if every duty that trust remembers had been
 * broken. Few tasks are audited, so what is found stands for all that nobody looked at.
 */
const refutedEvidence = brokenWeight * memory.of * oneWad

const fresh: Score = {
  timeliness: oneWad,
  agreement: oneWad,
  latency: oneWad,
  kept: wad(0n),
  broken: wad(0n),
  epoch: 0,
  drawn: 0,
  late: 0,
  missing: 0,
  outlying: 0,
  upheld: 0,
  refuted: 0,
  earned: 0n as Wei,
}

const scoreKey = (service: string, operator: OperatorId): string => `${service}/${operator}`

/**
 * An operator's score in a service, its evidence discounted for the epochs since; full marks but no
 * evidence for one that was never drawn.
 */
export function scoreOf(ledger: Ledger, service: string, operator: OperatorId): Score {
  const score = ledger.scores.get(scoreKey(service, operator)) ?? fresh
  const { epoch } = ledger.chain
  const passed = Math.min(forgottenEpochs, epoch - score.epoch)
  let [kept, broken]: readonly [bigint, bigint] = [score.kept, score.broken]
  for (let i = 0; i < passed && kept + broken > 0n; i++) {
    kept = (kept * epochMemory.kept) / epochMemory.of
    broken = (broken * epochMemory.kept) / epochMemory.of
  }
  return { ...score, kept: wad(kept), broken: wad(broken), epoch }
}

/** How far an operator is trusted in a service: a Beta reputation's mean, ½ for a newcomer. */
export const trustOf = ({ kept, broken }: Pick<Score, 'kept' | 'broken'>): Wad =>
  wad(((kept + oneWad) * oneWad) / (kept + broken + 2n * oneWad))

/**
 * The ledger after one observation: averages move, counts count, trust gains or loses evidence.
 *
 * @param latency - how fast it was, in [0, 1]; undefined when it never committed.
 */
export function observe(
  ledger: Ledger,
  service: string,
  operator: OperatorId,
  observation: Observation,
  latency: Wad | undefined,
): Ledger {
  const score = scoreOf(ledger, service, operator)
  const inTime = observation === 'late' ? oneWad / 2n : observation === 'missing' ? 0n : oneWad
  const next: Score = {
    ...score,
    ...evidenceAfter(score, observation),
    timeliness: average(score.timeliness, inTime),
    agreement: agreementAfter(score.agreement, observation),
    latency: latency === undefined ? score.latency : average(score.latency, latency),
    drawn: score.drawn + 1,
    late: score.late + (observation === 'late' ? 1 : 0),
    missing: score.missing + (observation === 'missing' ? 1 : 0),
    outlying: score.outlying + (observation === 'outlying' ? 1 : 0),
  }
  return { ...ledger, scores: ledger.scores.set(scoreKey(service, operator), next) }
}

/**
 * The ledger after an audit has confirmed, or contradicted, a result that an operator had revealed:
 * one more piece of evidence, or the end of all that spoke for it.
 */
export function observeAudit(
  ledger: Ledger,
  service: string,
  operator: OperatorId,
  verdict: 'upheld' | 'refuted',
): Ledger {
  const score = scoreOf(ledger, service, operator)
  const next: Score =
    verdict === 'upheld'
      ? {
          ...score,
          ...evidenceAfter(score, 'agreed'),
          agreement: agreementAfter(score.agreement, 'agreed'),
          upheld: score.upheld + 1,
        }
      : {
          ...score,
          kept: wad(0n),
          broken: wad(refutedEvidence),
          agreement: agreementAfter(score.agreement, 'outlying'),
          refuted: score.refuted + 1,
        }
  return { ...ledger, scores: ledger.scores.set(scoreKey(service, operator), next) }
}

/**
 * How fast a member committed, by the blocks since its draw: full marks up to one block after the
 * committee's median, then in proportion. Undefined when it never did.
 */
export function latencyOf(
  { committee, drawnHeight }: Pick<Task, 'committee' | 'drawnHeight'>,
  member: CommitteeMember,
): Wad | undefined {
  const spans = committee
    .filter(({ digest }) => digest !== undefined)
    .map(({ committedAt }) => committedAt - drawnHeight)
    .sort((a, b) => a - b)
  const median = spans[Math.floor((spans.length - 1) / 2)]
  if (member.digest === undefined || median === undefined) return undefined
  const allowed = median + 1
  const own = Math.max(allowed, member.committedAt - drawnHeight)
  return wad((oneWad * BigInt(allowed)) / BigInt(own))
}

/**
 * The ledger after an operator earned a share of a fee; what it has earned is counted up to 2^256.
 */
export function creditEarning(
  ledger: Ledger,
  service: string,
  operator: OperatorId,
  amount: Wei,
): Ledger {
  const score = scoreOf(ledger, service, operator)
  const next = { ...score, earned: capped(score.earned + amount) }
  return { ...ledger, scores: ledger.scores.set(scoreKey(service, operator), next) }
}

function capped(amount: bigint): Wei {
  if (amount > maxUint256) return maxUint256 as Wei
  return amount as Wei
}

const average = (old: Wad, newest: bigint): Wad =>
  wad((old * (newestWeight - 1n) + newest) / newestWeight)

/** Only a revealed result says whether an operator agrees. */
function agreementAfter(old: Wad, observation: Observation): Wad {
  if (observation === 'agreed') return average(old, oneWad)
  return observation === 'outlying' ? average(old, 0n) : old
}

/** A late one breaks a quarter of a duty: others may only have been faster. */
const broken = { late: oneWad / 4n, missing: oneWad, outlying: oneWad } as const

function evidenceAfter(score: Score, observation: Observation): Pick<Score, 'kept' | 'broken'> {
  if (observation === 'unsettled') return score
  const old = (evidence: Wad) => (evidence * memory.kept) / memory.of
  if (observation === 'agreed')
    return { kept: wad(old(score.kept) + oneWad), broken: wad(old(score.broken)) }
  const weight = brokenWeight * broken[observation]
  return { kept: wad(old(score.kept)), broken: wad(old(score.broken) + weight) }
}
