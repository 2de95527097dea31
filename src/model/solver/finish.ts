import { objectiveAndBound, useOf, violationOf } from '../evaluate.ts'
import type { Allocation, Prices } from '../programme.ts'
import type { Found } from '../solution.ts'
import { type Edges, useOfEdge } from './edges.ts'
import { columnPrice, type Frame } from './frame.ts'
import type { Point } from './point.ts'
import { charge, type Work } from './work.ts'

/** The prices of a programme from those of its frame. */
export function toPrices(frame: Frame, point: Point): Prices {
  const { tasks: m, securityAt, groupAt, stakeUnit, stake } = frame
  const { y } = point
  return {
    capacity: capacityPrices(frame, point),
    demand: y.slice(0, m),
    security: stake ? y.slice(securityAt, groupAt).map((s) => s / stakeUnit) : new Float64Array(m),
    group: y.slice(groupAt),
  }
}

/**
 * λ, with that of resources of which an operator has none: its pairs took no part, so that nothing
 * has priced it. It is free, so what keeps the operator from every task will do.
 */
function capacityPrices(frame: Frame, { y, lambda }: Point): Float64Array {
  const { operators: n, tasks: m, resources, capacity, programme } = frame
  const prices = lambda.slice()
  resources.forEach((resource, k) => {
    for (let i = 0; i < n; i++) {
      if ((capacity[k * n + i] as number) > 0) continue
      for (let t = 0; t < m; t++) {
        const use = useOf(resource, i, t, m)
        const earns = (programme.utility[i * m + t] as number) - columnPrice(frame, y, i, t)
        if (use > 0) prices[k * n + i] = Math.max(prices[k * n + i] as number, earns / use)
      }
    }
  })
  return prices
}

/** Column and operators' prices of a frame from those of its programme. */
export function fromPrices(frame: Frame, prices: Prices): Pick<Point, 'y' | 'lambda'> {
  const y = new Float64Array(frame.columns)
  y.set(prices.demand)
  if (frame.stake)
    y.set(
      prices.security.map((s) => s * frame.stakeUnit),
      frame.securityAt,
    )
  y.set(prices.group, frame.groupAt)
  for (let c = 0; c < y.length; c++) y[c] = Math.max(y[c] as number, frame.lower[c] as number)
  return { y, lambda: prices.capacity.slice() }
}

/** An allocation with its prices, of which only the violation is known yet. */
export type Draft = Pick<Found, 'allocation' | 'shortfall' | 'prices' | 'violation'>

/** Mends the units of a point, and checks every limit from the programme alone. */
export const mended = (frame: Frame, point: Point): Draft =>
  draftOf(frame, { ...point, units: mend(frame, point) })

/** A point as it is. */
export function draftOf(frame: Frame, point: Point): Draft {
  const allocation = compress(point.edges, point.units)
  const shortfall = unmet(frame, allocation)
  const violation = violationOf(frame.programme, allocation, shortfall)
  return { allocation, shortfall, prices: toPrices(frame, point), violation }
}

/** Says how far from the best a draft can be, from the programme alone. */
export function assess(frame: Frame, draft: Draft, tolerance: number, work: Work): Found {
  const { programme, operators, tasks } = frame
  const { allocation, shortfall, prices, violation } = draft
  charge(work, operators * tasks)
  const { objective, bound } = objectiveAndBound(programme, allocation, shortfall, prices)
  const scale = Math.max(Math.abs(bound), Math.abs(objective), nothing(frame))
  const gap = Math.abs(bound - objective) / scale
  const isOptimal = gap <= tolerance && violation <= tolerance
  return {
    status: isOptimal ? 'optimal' : 'stalled',
    ...draft,
    objective,
    bound,
    gap,
    effort: work.effort,
  }
}

/** Worth too small to matter beside all that is at stake: less is no worth at all. */
const nothing = ({ programme, money }: Frame): number =>
  1e-9 * money * programme.demand.reduce((a, b) => a + b, 0) + Number.MIN_VALUE

/**
 * Takes what is too much off tasks, and gives what is missing to operators with room. Units between
 * their bounds give and take first: there all operators earn the same, so that it costs nothing of
 * first order.
 */
function mend(frame: Frame, point: Point): Float64Array {
  const { tasks: m, programme } = frame
  const mended = withoutExcess(frame, point)
  if (programme.security || programme.groups || programme.shortfallPrice) return mended
  const served = servedBy(point.edges, mended, m)
  const lack = programme.demand.map((d, t) => {
    const missing = d - (served[t] as number)
    return missing > 1e-13 * d ? missing : 0
  })
  const isShort = lack.some((missing) => missing > 0)
  if (isShort && fill(frame, point, mended, lack, 0)) fill(frame, point, mended, lack, -1)
  return mended
}

/** Units without what is served beyond demand. */
function withoutExcess({ tasks: m, programme }: Frame, { edges, units }: Point): Float64Array {
  const { task, cap } = edges
  const between = new Float64Array(m)
  const served = new Float64Array(m)
  for (let e = 0; e < units.length; e++) {
    const x = units[e] as number
    const t = task[e] as number
    served[t] = (served[t] as number) + x
    between[t] = (between[t] as number) + Number(x < (cap[e] as number)) * x
  }
  const factorBetween = new Float64Array(m).fill(1)
  const factorAtCap = new Float64Array(m).fill(1)
  for (let t = 0; t < m; t++) {
    const excess = (served[t] as number) - (programme.demand[t] as number)
    if (excess <= 0) continue
    const isEnough = excess <= (between[t] as number)
    factorBetween[t] = 1 - excess / ((isEnough ? between[t] : served[t]) as number)
    if (!isEnough) factorAtCap[t] = factorBetween[t] as number
  }
  const left = new Float64Array(units.length)
  for (let e = 0; e < left.length; e++) {
    const x = units[e] as number
    const factor = x < (cap[e] as number) ? factorBetween : factorAtCap
    left[e] = x * (factor[task[e] as number] as number)
  }
  return left
}

/**
 * Gives what is lacking to pairs with more than `least` units; returns whether some is left.
 * Changes `mended` and `lack`.
 */
function fill(
  { operators: n, capacity, resources }: Frame,
  { edges }: Point,
  mended: Float64Array,
  lack: Float64Array,
  least: number,
): boolean {
  const { start, task, cap } = edges
  for (let i = 0; i < n; i++) {
    let left: number[] | undefined
    for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
      const t = task[e] as number
      if (lack[t] === 0) continue
      const x = mended[e] as number
      if (x <= least || x >= (cap[e] as number)) continue
      left ??= resources.map((_, k) => (capacity[k * n + i] as number) - load(edges, mended, i, k))
      let more = Math.min(lack[t] as number, (cap[e] as number) - x)
      for (let k = 0; k < left.length; k++) {
        const a = useOfEdge(edges, k, e)
        if (a > 0) more = Math.min(more, (left[k] as number) / a)
      }
      if (more <= 0) continue
      mended[e] = x + more
      lack[t] = (lack[t] as number) - more
      for (let k = 0; k < left.length; k++)
        left[k] = (left[k] as number) - more * useOfEdge(edges, k, e)
    }
  }
  return lack.some((missing) => missing > 0)
}

function load(edges: Edges, units: Float64Array, i: number, k: number): number {
  let sum = 0
  for (let e = edges.start[i] as number; e < (edges.start[i + 1] as number); e++)
    sum += (units[e] as number) * useOfEdge(edges, k, e)
  return sum
}

/** Units of each task. */
function servedBy({ task }: Edges, units: Float64Array, m: number): Float64Array {
  const served = new Float64Array(m)
  for (let e = 0; e < units.length; e++) {
    const t = task[e] as number
    served[t] = (served[t] as number) + (units[e] as number)
  }
  return served
}

function unmet({ programme }: Frame, { task, units }: Allocation): Float64Array {
  const left = programme.demand.slice()
  for (let e = 0; e < units.length; e++) {
    const t = task[e] as number
    left[t] = (left[t] as number) - (units[e] as number)
  }
  const noise = (t: number) => 1e-13 * (programme.demand[t] as number)
  return left.map((missing, t) => (Math.abs(missing) <= noise(t) ? 0 : missing))
}

/** Drops the edges without units: every one is stored, and those with units are kept. */
function compress(edges: Edges, units: Float64Array): Allocation {
  const start = new Int32Array(edges.start.length)
  const task = new Int32Array(units.length)
  const kept = new Float64Array(units.length)
  for (let i = 0, at = 0; i + 1 < start.length; i++) {
    for (let e = edges.start[i] as number, end = edges.start[i + 1] as number; e < end; e++) {
      const x = units[e] as number
      task[at] = edges.task[e] as number
      kept[at] = x
      at += Number(x > 0)
    }
    start[i + 1] = at
  }
  const count = start.at(-1) as number
  return { start, task: task.slice(0, count), units: kept.slice(0, count) }
}
