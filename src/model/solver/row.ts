/** Scratch for the positive entries of one row, structure of arrays. */
export type RowBuffer = {
  /** u − π of each entry: what a unit earns before the operator's own prices. */
  readonly margin: Float64Array
  /** Resource a unit, shape [K × size]. */
  readonly use: Float64Array
  /** 1 ÷ congestion. */
  readonly inverse: Float64Array
  readonly cap: Float64Array
  /** Which edge, or which task, the entry stands for. */
  readonly id: Int32Array
  readonly size: number
  readonly several: SeveralScratch
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
  /** Entries gone through since it was last set to zero. */
  visits: number
}

/** Scratch for rows of at most `size` entries and `resources` limits. */
export const createRowBuffer = (size: number, resources: number): RowBuffer => ({
  margin: new Float64Array(size),
  use: new Float64Array(size * resources),
  inverse: new Float64Array(size),
  cap: new Float64Array(size),
  id: new Int32Array(size),
  size,
  several: {
    price: new Float64Array(resources),
    trial: new Float64Array(resources),
    slope: new Float64Array(resources),
    step: new Float64Array(resources),
    bend: new Float64Array(resources * resources),
    inverse: new Float64Array(resources * resources),
    margin: new Float64Array(resources > 1 ? size : 0),
    visits: 0,
  },
})

const maxSteps = 120

/**
 * The price λ ≥ 0 of one operator's capacity: the root of
 * Σ a·clip((z − aλ)/q, 0, x̄) = (κ > 0 ? min(λ/κ, R) : R), or 0 when capacity is spare.
 * The left side falls and is piecewise linear: Newton inside a bracket ends after a few pieces.
 *
 * @param count - entries of the buffer; each has margin > 0.
 * @param guess - where to start; ≥ 0.
 */
export function solveRow(
  buffer: RowBuffer,
  count: number,
  capacity: number,
  kappa: number,
  guess: number,
): number {
  const { margin, use, inverse, cap } = buffer
  let low = -1 // nothing known, not even about 0
  let high = Infinity
  let price = guess
  for (let step = 0; step < maxSteps; step++) {
    let load = 0
    let slope = 0
    for (let t = 0; t < count; t++) {
      const a = use[t] as number
      const w = inverse[t] as number
      const x = ((margin[t] as number) - a * price) * w
      if (x <= 0) continue
      const most = cap[t] as number
      if (x < most) {
        load += a * x
        slope += a * a * w
      } else load += a * most
    }
    let room = capacity
    if (kappa > 0 && price < kappa * capacity) {
      room = price / kappa
      slope += 1 / kappa
    }
    const excess = load - room
    if (excess <= 0) {
      if (price <= 0) return 0
      high = price
    } else low = price
    if (Math.abs(excess) <= 1e-14 * capacity) return price
    let next = slope > 0 ? price + excess / slope : -1
    if (excess <= 0 && next <= 0 && low < 0) next = 0
    else if (!(next > low && next < high)) {
      if (high === Infinity) high = highest(buffer, count)
      next = 0.5 * (Math.max(low, 0) + high)
    }
    if (next === price || (high < Infinity && high - low <= 4e-16 * high)) return next
    price = next
  }
  return price
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
