import { type Hex, isMoreThanOneThird, isMoreThanTwoThirds } from '#primitives'
import { chainL1Digest, type L1Event } from '#records'
import { type Ledger, operatorsOf, totalPower } from '../ledger.ts'

/** Next L1 events, and how far operators' views reach along them. */
export type Vouching = {
  /** How many of them more than two thirds of the power vouch for. */
  readonly vouched: number
  /** How many of them at least one operator has seen. */
  readonly seen: number
  /** Digest of the L1 history after each of them. */
  readonly digests: readonly Hex[]
}

/**
 * Holds the next L1 events against every operator's latest view. A view that ends at one of them
 * vouches for it and for all before it; one that ends beyond them says nothing yet, so whoever
 * brings events brings all that it knows.
 */
export function vouchingFor(ledger: Ledger, events: readonly L1Event[]): Vouching {
  const { digest, events: agreed } = ledger.chain.l1
  const digests = digestsAfter(digest, events)
  const reaches = operatorsOf(ledger).map(({ power, view }) => {
    const count = view.events - agreed
    const isOnChain = count > 0 && !view.fork && digests[count - 1] === view.digest
    return { power, count: isOnChain ? count : 0 }
  })
  const total = totalPower(ledger)
  const isVouched = (count: number) => {
    const beyond = reaches.filter((one) => one.count >= count)
    return isMoreThanTwoThirds(sumOf(beyond), total)
  }
  let vouched = 0
  while (vouched < events.length && isVouched(vouched + 1)) vouched += 1
  return { vouched, seen: reaches.reduce((most, { count }) => Math.max(most, count), 0), digests }
}

/** Whether more than a third of the power sees an L1 that contradicts the agreed one. */
export const isL1Frozen = (ledger: Ledger): boolean =>
  isMoreThanOneThird(sumOf(operatorsOf(ledger).filter(({ view }) => view.fork)), totalPower(ledger))

/** How many of the next L1 events the ledger would take now. */
export const vouchedEvents = (ledger: Ledger, events: readonly L1Event[]): number =>
  isL1Frozen(ledger) ? 0 : vouchingFor(ledger, events).vouched

/**
 * Of the next L1 events that an operator knows, those to bring now: as far as anyone's view reaches
 * along them, since a view that ends beyond what is brought does not count, and none while nothing
 * is vouched for.
 */
export function l1EventsToBring(ledger: Ledger, events: readonly L1Event[]): readonly L1Event[] {
  if (isL1Frozen(ledger)) return []
  const { vouched, seen } = vouchingFor(ledger, events)
  return vouched === 0 ? [] : events.slice(0, seen)
}

function digestsAfter(digest: Hex, events: readonly L1Event[]): readonly Hex[] {
  let last = digest
  return events.map((event) => {
    last = chainL1Digest(last, event)
    return last
  })
}

const sumOf = (operators: readonly { readonly power: bigint }[]): bigint =>
  operators.reduce((sum, { power }) => sum + power, 0n)
