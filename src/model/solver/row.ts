import type { Work } from './work.ts'

/** Scratch for the positive entries of one row, structure of arrays. */
export type RowBuffer = {
  /** u − π of each entry: what a unit earns before the operator's own prices. */
  readonly margin: Float64Array
  /** Resource a unit, shape [K × size]. */
  readonly use: Float64Array
  /** 1 ÷ congestion. */
  readonly inverse: Float64Array
  readonly cap: Float64Array
  /** What the entry does at the price that was last looked at. */
  readonly units: Float64Array
  /** Which edge, or which task, the entry stands for. */
  readonly id: Int32Array
  readonly size: number
  /** Whether every use is one. */
  readonly isUnit: boolean
  readonly search: Search
  readonly several: SeveralScratch
  readonly work: Work
}

/** What is known of the root that is looked for. */
export type Search = {
  /** Below the root, or −1 when nothing is known, not even about 0. */
  low: number
  /** Not below the root. */
  high: number
  /** How fast the load falls where it was last looked at. */
  slope: number
  /** Entries that may still count: those before this one. */
  count: number
  /** Entries that did something where it was last looked at. */
  busy: number
}

/** Scratch for rows with K > 1 limits. */
export type SeveralScratch = {
  readonly price: Float64Array
  readonly trial: Float64Array
  readonly slope: Float64Array
  readonly step: Float64Array
  /** Shape [K × K]. */
  readonly bend: Float64Array
  readonly inverse: Float64Array
  /** Shape [size]. */
  readonly margin: Float64Array
}

/** Scratch for rows of at most `size` entries and `resources` limits. */
export const createRowBuffer = (
  size: number,
  resources: number,
  isUnit: boolean,
  work: Work,
): RowBuffer => ({
  margin: new Float64Array(size),
  use: new Float64Array(size * resources).fill(1),
  inverse: new Float64Array(size),
  cap: new Float64Array(size),
  units: new Float64Array(size),
  id: new Int32Array(size),
  size,
  isUnit,
  search: { low: -1, high: Infinity, slope: 0, count: 0, busy: 0 },
  several: {
    price: new Float64Array(resources),
    trial: new Float64Array(resources),
    slope: new Float64Array(resources),
    step: new Float64Array(resources),
    bend: new Float64Array(resources * resources),
    inverse: new Float64Array(resources * resources),
    margin: new Float64Array(resources > 1 ? size : 0),
  },
  work,
})

/** Prices that are tried for a row before it is left as it is. */
const maxSteps = 120

/**
 * The price λ ≥ 0 of one operator's capacity: the root of
 * Σ a·clip((z − aλ)/q, 0, x̄) = (κ > 0 ? min(λ/κ, R) : R), or 0 when capacity is spare.
 * The left side falls and is piecewise linear: Newton inside a bracket ends after a few pieces.
 *
 * @param count - entries of the buffer; each has margin > 0. Those that cannot count are dropped:
 *   `search.count` says how many are left.
 * @param guess - where to start; ≥ 0.
 */
export function solveRow(
  buffer: RowBuffer,
  count: number,
  capacity: number,
  kappa: number,
  guess: number,
): number {
  const { search, isUnit, work } = buffer
  search.count = count
  search.low = -1
  search.high = Infinity
  let price = guess
  for (let step = 0; ; step++) {
    let room = capacity
    work.effort.visits += search.count
    const load = isUnit ? unitLoad(buffer, price) : weightedLoad(buffer, price)
    if (kappa > 0 && price < kappa * capacity) {
      room = price / kappa
      search.slope += 1 / kappa
    }
    const excess = load - room
    if (Math.abs(excess) <= 1e-14 * capacity || (excess <= 0 && price <= 0)) return price
    const next = step < maxSteps ? nextPrice(buffer, count, price, excess) : price
    if (next === price) return price
    if (isUnit && excess > 0 && 2 * search.busy < search.count) compact(buffer, price)
    price = next
  }
}

/**
 * Load at a price where every use is one; notes the units and the slope. Whether an entry counts is
 * a factor 0 or 1: a branch that cannot be foretold would cost more than the arithmetic.
 */
function unitLoad(buffer: RowBuffer, price: number): number {
  const { count } = buffer.search
  const { margin, inverse, cap, units } = buffer
  let load = 0
  let slope = 0
  let busy = 0
  for (let t = 0; t < count; t++) {
    const w = inverse[t] as number
    const most = cap[t] as number
    const x = ((margin[t] as number) - price) * w
    const isBusy = Number(x > 0)
    const isInner = isBusy * Number(x < most)
    busy += isBusy
    const placed = isInner * x + Number(x >= most) * most
    slope += isInner * w
    load += placed
    units[t] = placed
  }
  buffer.search.slope = slope
  buffer.search.busy = busy
  return load
}

/** Drops the entries that earn nothing at a price below the root. */
function compact(buffer: RowBuffer, price: number): void {
  const { search, margin, inverse, cap, id } = buffer
  let kept = 0
  for (let t = 0; t < search.count; t++) {
    const earns = margin[t] as number
    margin[kept] = earns
    inverse[kept] = inverse[t] as number
    cap[kept] = cap[t] as number
    id[kept] = id[t] as number
    kept += Number(earns > price)
  }
  search.count = kept
}

/** Load at a price; notes the units and the slope. */
function weightedLoad(buffer: RowBuffer, price: number): number {
  const { count } = buffer.search
  const { margin, use, inverse, cap, units } = buffer
  let load = 0
  let slope = 0
  for (let t = 0; t < count; t++) {
    const a = use[t] as number
    const w = inverse[t] as number
    const x = ((margin[t] as number) - a * price) * w
    if (x > 0) {
      const most = cap[t] as number
      if (x < most) slope += a * a * w
      units[t] = Math.min(x, most)
      load += a * (units[t] as number)
    } else units[t] = 0
  }
  buffer.search.slope = slope
  return load
}

/** Where to look after a price with so much excess load; the price itself when it is as good. */
function nextPrice(buffer: RowBuffer, count: number, price: number, excess: number): number {
  const { search } = buffer
  if (excess <= 0) search.high = price
  else search.low = price
  const { low, slope } = search
  const newton = slope > 0 ? price + excess / slope : -1
  if (excess <= 0 && newton <= 0 && low < 0) return 0
  if (newton > low && newton < search.high) return newton
  if (search.high === Infinity) search.high = highest(buffer, count)
  const { high } = search
  return high - low <= 4e-16 * high ? price : 0.5 * (Math.max(low, 0) + high)
}

/** The price from which on nothing is worth doing. */
function highest({ margin, use }: RowBuffer, count: number): number {
  let high = 0
  for (let t = 0; t < count; t++) {
    const a = use[t] as number
    if (a > 0) high = Math.max(high, (margin[t] as number) / a)
  }
  return high
}
