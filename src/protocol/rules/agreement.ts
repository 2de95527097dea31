import { equalBytes, isMoreThanTwoThirds } from '#primitives'
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
  return spec.rule === 'median'
    ? agreeOnMedian(spec, service, revealed)
    : agreeExactly(revealed, committeeWeight)
}

/**
 * Weighted median: half of the weight lies at or below it. With less than half of the weight lying,
 * it is never outside the range of the honest results.
 */
function agreeOnMedian(
  { toleranceBps }: ServiceSpec,
  service: AssignedService,
  revealed: readonly Revealed[],
): Agreement {
  const ordered = revealed
    .map((one) => ({ ...one, value: service.toNumber(one.result) }))
    .sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.operator - b.operator))
  const total = weightOf(revealed)
  let passed = 0n
  const middle = ordered.find((one) => {
    passed += BigInt(one.weight)
    return passed * 2n >= total
  })
  if (!middle) return { ok: false, reason: 'TooFewReveals' }
  const limit = (absolute(middle.value) * BigInt(toleranceBps)) / 10_000n
  const isClose = ({ value }: { value: bigint }) => absolute(value - middle.value) <= limit
  return {
    ok: true,
    result: service.fromNumber(middle.value),
    agreeing: idsOf(ordered.filter(isClose)),
    outlying: idsOf(ordered.filter((one) => !isClose(one))),
  }
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

const absolute = (value: bigint): bigint => (value < 0n ? -value : value)
