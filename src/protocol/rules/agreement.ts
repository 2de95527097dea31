import { equalBytes, isMoreThanTwoThirds, unreachable } from '#primitives'
import type { OperatorId, ServiceSpec } from '#records'
import type { AssignedService, Revealed } from '../service.ts'

/** What a committee's results come to. */
export type Agreement =
  | {
      readonly ok: true
      readonly result: Uint8Array
      /** Who stands behind it, and who lies outside the tolerance. */
      readonly agreeing: readonly OperatorId[]
      readonly outlying: readonly OperatorId[]
    }
  | { readonly ok: false; readonly reason: string }

/**
 * One result from what was validly revealed, by the service's rule.
 *
 * @param spec - the terms that the network agreed on, whatever the binary brings.
 * @param revealed - at most one a member; any order.
 * @param committeeWeight - weight of the whole committee, revealed or not.
 */
export function agree(
  spec: ServiceSpec,
  service: AssignedService,
  revealed: readonly Revealed[],
  committeeWeight: number,
): Agreement {
  if (!isMoreThanTwoThirds(weightOf(revealed), BigInt(committeeWeight)))
    return { ok: false, reason: 'TooFewReveals' }
  switch (spec.rule) {
    case 'median':
      return agreeNear(spec, service, revealed, weightedMedian)
    case 'trimmed':
      return agreeNear(spec, service, revealed, trimmedMean)
    case 'mean':
      return agreeNear(spec, service, revealed, weightedMean)
    case 'exact':
    case 'replicated':
      return agreeExactly(revealed, committeeWeight)
    default:
      return unreachable(spec.rule)
  }
}

/**
 * Whether a result says the same as the outcome of another execution: the same bytes, or a number
 * as near as a later execution may honestly be. Never, where none can be made.
 */
export function isSameOutcome(
  { rule, auditToleranceBps }: ServiceSpec,
  service: AssignedService,
  outcome: Uint8Array,
  result: Uint8Array,
): boolean {
  if (auditToleranceBps === undefined) return false
  if (rule === 'exact') return equalBytes(outcome, result)
  return isWithin(service.toNumber(result), service.toNumber(outcome), auditToleranceBps)
}

/** A result as a number, and how much it weighs. */
type Valued = { readonly operator: OperatorId; readonly weight: number; readonly value: bigint }

/** One number from the results, and who lies within the tolerance of it. */
function agreeNear(
  { toleranceBps }: ServiceSpec,
  service: AssignedService,
  revealed: readonly Revealed[],
  middleOf: (ordered: readonly Valued[]) => bigint | undefined,
): Agreement {
  const ordered = revealed
    .map((one) => ({ ...one, value: service.toNumber(one.result) }))
    .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.operator - b.operator))
  const middle = middleOf(ordered)
  if (middle === undefined) return { ok: false, reason: 'TooFewReveals' }
  const isClose = ({ value }: { value: bigint }) => isWithin(value, middle, toleranceBps)
  return {
    ok: true,
    result: service.fromNumber(middle),
    agreeing: idsOf(ordered.filter(isClose)),
    outlying: idsOf(ordered.filter((one) => !isClose(one))),
  }
}

/**
 * Weighted median: half of the weight lies at or below it. With less than half of the weight lying,
 * it is never outside the range of the honest results.
 */
function weightedMedian(ordered: readonly Valued[]): bigint | undefined {
  const total = weightOf(ordered)
  let passed = 0n
  return ordered.find(({ weight }) => {
    passed += BigInt(weight)
    return passed * 2n >= total
  })?.value
}

/**
 * Mean of what is left when a third of the weight is cut off at either end, rounded down. With less
 * than a third of the weight lying, it is never outside the range of the honest results.
 */
function trimmedMean(ordered: readonly Valued[]): bigint | undefined {
  const total = weightOf(ordered)
  // Weights in thirds: what lies between one and two thirds of the way counts.
  let passed = 0n
  const kept = ordered.map(({ weight, value }) => {
    const from = passed * 3n
    passed += BigInt(weight)
    const start = from > total ? from : total
    const end = passed * 3n < total * 2n ? passed * 3n : total * 2n
    return { value, part: end > start ? end - start : 0n }
  })
  const sum = kept.reduce((all, { value, part }) => all + value * part, 0n)
  return total === 0n ? undefined : divideDown(sum, total)
}

/** Weighted mean, the paper's mode: any one operator can move it as far as it likes. */
function weightedMean(ordered: readonly Valued[]): bigint | undefined {
  const total = weightOf(ordered)
  const sum = ordered.reduce((all, { value, weight }) => all + value * BigInt(weight), 0n)
  return total === 0n ? undefined : divideDown(sum, total)
}

/** Rounded down, for negative numbers too. */
function divideDown(sum: bigint, total: bigint): bigint {
  const quotient = sum / total
  return quotient * total > sum ? quotient - 1n : quotient
}

/** The same bytes from more than two thirds of the committee's weight. */
function agreeExactly(revealed: readonly Revealed[], committeeWeight: number): Agreement {
  for (const candidate of revealed) {
    const same = revealed.filter((one) => equalBytes(one.result, candidate.result))
    if (!isMoreThanTwoThirds(weightOf(same), BigInt(committeeWeight))) continue
    const agreeing = idsOf(same)
    const outlying = idsOf(revealed.filter((one) => !agreeing.includes(one.operator)))
    return { ok: true, result: candidate.result, agreeing, outlying }
  }
  return { ok: false, reason: 'NoMajority' }
}

/** The weight of members together. */
export const weightOf = (members: readonly { readonly weight: number }[]): bigint =>
  members.reduce((sum, { weight }) => sum + BigInt(weight), 0n)

const idsOf = (members: readonly { operator: OperatorId }[]): readonly OperatorId[] =>
  members.map(({ operator }) => operator).sort((a, b) => a - b)

/** Whether a value is so near to the middle, in 1/10,000 of it. */
const isWithin = (value: bigint, middle: bigint, bps: number): boolean =>
  absolute(value - middle) <= (absolute(middle) * BigInt(bps)) / 10_000n

const absolute = (value: bigint): bigint => (value < 0n ? -value : value)
