import { oneWad, type Wad, type Wei, wad } from '#primitives'
import { maxUint256, type OperatorId } from '#records'
import type { Ledger, Score } from '../ledger.ts'

/**
 * What one task showed of one drawn operator. Late: it had not committed when commits closed before
 * their deadline. Missing: it did not commit by the deadline, or did not reveal what it had
 * committed. Unsettled: it did what it owed, but the committee came to nothing.
 */
export type Observation = 'agreed' | 'outlying' | 'late' | 'missing' | 'unsettled'

/** Weight of the newest observation in a moving average: one eighth. */
const newestWeight = 8n

const fresh: Score = {
  timeliness: oneWad,
  agreement: oneWad,
  drawn: 0,
  late: 0,
  missing: 0,
  outlying: 0,
  earned: 0n as Wei,
}

const scoreKey = (service: string, operator: OperatorId): string => `${service}/${operator}`

/** An operator's score in a service; full for one that was never drawn. */
export const scoreOf = (ledger: Ledger, service: string, operator: OperatorId): Score =>
  ledger.scores.get(scoreKey(service, operator)) ?? fresh

/** The ledger after one observation: averages move, counts count. */
export function observe(
  ledger: Ledger,
  service: string,
  operator: OperatorId,
  observation: Observation,
): Ledger {
  const score = scoreOf(ledger, service, operator)
  const inTime = observation === 'late' ? oneWad / 2n : observation === 'missing' ? 0n : oneWad
  const next: Score = {
    ...score,
    timeliness: average(score.timeliness, inTime),
    agreement: agreementAfter(score.agreement, observation),
    drawn: score.drawn + 1,
    late: score.late + (observation === 'late' ? 1 : 0),
    missing: score.missing + (observation === 'missing' ? 1 : 0),
    outlying: score.outlying + (observation === 'outlying' ? 1 : 0),
  }
  return { ...ledger, scores: ledger.scores.set(scoreKey(service, operator), next) }
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
