import type { Prices, Programme } from '../programme.ts'
import type { Found } from '../solution.ts'
import { type Edges, useOfEdge } from '../solver/edges.ts'
import { assess, draftOf, fromPrices } from '../solver/finish.ts'
import { createFrame, type Frame, lookupOf, maxOf, moneyScale } from '../solver/frame.ts'
import { restrict } from '../solver/point.ts'
import { createWork } from '../solver/work.ts'
import { constraintNorm, type FramePrices, movePrices, slack, slopes } from './operators.ts'

/**
 * Methods whose behaviour is worth seeing beside the solver's.
 *
 * - `gradient`: the paper's rule x ← x + η ∂L/∂x (§4.3.4), cut at the bounds, with prices fixed.
 * - `primal-dual`: the same, and prices move along what is left of their limits.
 * - `pdhg`: primal-dual hybrid gradient (Chambolle and Pock 2011, algorithm 1), which converges
 *   where the objective is linear, too.
 */
export type StudyMethod = 'gradient' | 'primal-dual' | 'pdhg'

/** How to iterate. */
export type StudyOptions = {
  readonly method: StudyMethod
  /** η; by default one that converges: half of 2/h_max, for `pdhg` by the constraints' norm. */
  readonly rate?: number
  /** η_d of the prices; by default as above. */
  readonly priceRate?: number
  readonly iterations?: number
  /** ε of the paper: ends when |Δx| < ε. Says little by itself: tiny rates pass at once. */
  readonly change?: number
  /** Largest relative gap and violation of an optimal answer; ends a method with moving prices. */
  readonly tolerance?: number
  /** Where prices start, and stay with `gradient`; zero by default. */
  readonly prices?: Prices
  /** x to start from, shape [N × M]; zero by default. */
  readonly start?: Float64Array
  /** Iterations between two checks of gap and violation. */
  readonly every?: number
}

/** How a method went. */
export type Study = {
  /** The last iterate as it is, checked like every answer. */
  readonly found: Found
  /** Whether the paper's test |Δx| < ε was met. */
  readonly settled: boolean
  readonly iterations: number
  readonly rate: number
  readonly trace: readonly StudyPoint[]
}

/** One checked iterate. */
export type StudyPoint = {
  readonly iteration: number
  /** max |Δx| of this iteration, units. */
  readonly change: number
  readonly gap: number
  readonly violation: number
}

/** Runs a method on a programme and records how it goes. Dense: for programmes up to 10^5 pairs. */
export function study(programme: Programme, options: StudyOptions): Study {
  const { iterations = 10_000, change: least = 1e-9, tolerance = 1e-6, every = 10 } = options
  const run = createRun(programme, options)
  const trace: StudyPoint[] = []
  let change = Infinity
  let iteration = 0
  let found = check(run, tolerance)
  while (iteration < iterations && change >= least) {
    change = step(run, options.method)
    iteration++
    if (iteration % every !== 0) continue
    found = check(run, tolerance)
    trace.push({ iteration, change, gap: found.gap, violation: found.violation })
    if (options.method !== 'gradient' && found.status === 'optimal') break
    if (!Number.isFinite(change)) break
  }
  found = check(run, tolerance)
  trace.push({ iteration, change, gap: found.gap, violation: found.violation })
  return { found, settled: change < least, iterations: iteration, rate: run.rate, trace }
}

type Run = {
  readonly frame: Frame
  readonly edges: Edges
  readonly prices: FramePrices
  readonly rate: number
  readonly priceRate: number
  x: Float64Array
}

function createRun(programme: Programme, options: StudyOptions): Run {
  const money = moneyScale(programme)
  const price = programme.shortfallPrice ?? new Float64Array(programme.tasks).fill(1e6 * money)
  const frame = createFrame(programme, price, money)
  const zero = { y: new Float64Array(frame.columns), lambda: frame.capacity.map(() => 0) }
  const work = createWork(Infinity)
  const { edges } = restrict({ frame, lookup: lookupOf(programme), work }, zero, Infinity)
  const { rate, priceRate } = ratesOf(frame, edges, options)
  const { start } = options
  const x = new Float64Array(edges.count)
  if (start)
    for (let i = 0; i < frame.operators; i++)
      for (let e = edges.start[i] as number; e < (edges.start[i + 1] as number); e++)
        x[e] = start[i * frame.tasks + (edges.task[e] as number)] as number
  const prices = options.prices ? withoutCongestion(frame, fromPrices(frame, options.prices)) : zero
  return { frame, edges, prices, rate, priceRate, x }
}

function ratesOf(
  frame: Frame,
  edges: Edges,
  { method, rate, priceRate }: StudyOptions,
): { readonly rate: number; readonly priceRate: number } {
  const uses = (edges.isUnit ? 1 : maxOf(edges.use)) ** 2 * frame.tasks
  const curvature = maxOf(edges.congestion) + maxOf(frame.kappa) * uses
  const units = frame.programme.demand.reduce((a, b) => a + b, 0) / frame.tasks
  const gentle = curvature > 0 ? 1 / curvature : (0.1 * units) / frame.money
  if (method === 'gradient') return { rate: rate ?? gentle, priceRate: 0 }
  const norm = constraintNorm(frame, edges)
  if (method === 'pdhg') {
    // Steps in the ratio of a typical unit to a typical price; their product stays below 1/norm².
    const ratio = Math.sqrt(units / frame.operators / frame.money) || 1
    return { rate: rate ?? ratio / norm, priceRate: priceRate ?? 1 / ratio / norm }
  }
  const primal = rate ?? gentle
  return { rate: primal, priceRate: priceRate ?? 0.5 / (primal * norm * norm) }
}

/** One iteration; returns max |Δx|. */
function step(run: Run, method: StudyMethod): number {
  const { frame, edges, prices, rate, priceRate, x } = run
  const slope = slopes(frame, edges, x, prices)
  const next = new Float64Array(x.length)
  let change = 0
  for (let e = 0; e < x.length; e++) {
    const from = x[e] as number
    const q = edges.congestion[e] as number
    // A proximal step takes the congestion at the new point: it is stable at every rate.
    const moved =
      method === 'pdhg'
        ? from + (rate * (slope[e] as number)) / (1 + rate * q)
        : from + rate * (slope[e] as number)
    const to = Math.min(Math.max(moved, 0), edges.cap[e] as number)
    next[e] = to
    change = Math.max(change, Math.abs(to - from))
  }
  if (method === 'pdhg') {
    const ahead = next.map((to, e) => 2 * to - (x[e] as number))
    movePrices(frame, prices, slack(frame, edges, ahead), priceRate)
  } else if (method === 'primal-dual')
    movePrices(frame, prices, slack(frame, edges, next), priceRate)
  run.x = next
  return change
}

function check({ frame, edges, prices, x }: Run, tolerance: number): Found {
  const work = createWork(Infinity)
  const { y } = prices
  const lambda = withCongestion(frame, edges, x, prices.lambda)
  return assess(frame, draftOf(frame, { y, lambda, edges, units: x }), tolerance, work)
}

/** The steps take κ from the load and λ for the limit alone; `Prices` hold both in one. */
function withCongestion(
  { operators, kappa }: Frame,
  edges: Edges,
  x: Float64Array,
  lambda: Float64Array,
): Float64Array {
  const whole = lambda.slice()
  for (let i = 0; i < operators; i++) {
    let load = 0
    for (let e = edges.start[i] as number; e < (edges.start[i + 1] as number); e++)
      load += useOfEdge(edges, 0, e) * (x[e] as number)
    whole[i] = (whole[i] as number) + (kappa[i] as number) * load
  }
  return whole
}

function withoutCongestion(
  { operators, kappa, capacity }: Frame,
  { y, lambda }: FramePrices,
): FramePrices {
  const most = (i: number) => (i < operators ? (kappa[i] as number) * (capacity[i] as number) : 0)
  return { y, lambda: lambda.map((price, i) => Math.max(price - most(i), 0)) }
}
