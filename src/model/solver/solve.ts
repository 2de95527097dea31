import type { Prices, Programme } from '../programme.ts'
import type { Found, Infeasible, Solution } from '../solution.ts'
import { certify } from './certificate.ts'
import { assess, type Draft, fromPrices, mended } from './finish.ts'
import { createFrame, type Frame, lookupOf, maxOf, meanOf, moneyScale } from './frame.ts'
import { isNetwork, solveNetwork } from './network.ts'
import { type Context, type Point, restrict } from './point.ts'
import {
  complete,
  direct,
  follow,
  type Goal,
  gentle,
  type Judge,
  proximal,
  type Stage,
  smallestCongestion,
  smoothing,
} from './stages.ts'
import { coarsen, coldStart, priceRows, type Start } from './start.ts'
import { charge, createWork, isSpent, type Work } from './work.ts'

/** How to solve. */
export type SolveOptions = {
  /** Largest relative gap and violation of an optimal answer; default 10^-6. */
  readonly tolerance?: number
  /** Prices of a similar programme of the same shape. */
  readonly start?: Prices
  /**
   * Visits before giving up as `stalled`, see `Effort`; default 3·10^8 for each resource and 3,000
   * for each pair.
   */
  readonly maxVisits?: number
}

const defaultTolerance = 1e-6
/** Seconds for small programmes; for large ones, several times what any family has taken. */
const defaultVisits = ({ operators, tasks, resources }: Programme): number =>
  3e8 * resources.length + 3000 * operators * tasks
/** Part of the tolerance that the methods aim for, so that rounding cannot spoil an answer. */
const aim = 1e-2
/** Residual to which Newton's method is driven first; that of what is mended is far smaller. */
const firstResidual = 10
const quick = { maxSteps: 30, patience: 5 }
const patient = { maxSteps: 2000, patience: 200 }
const rough = { tolerance: 1e-3, maxSteps: 30, patience: 5, judge: () => 'good' as const }

/**
 * Solves the allocation programme: the operators' prices are eliminated row by row, and what is
 * left is minimised over the prices of tasks by a semismooth Newton method with conjugate
 * gradients. Linear programmes with one plain resource end with the network simplex method.
 *
 * Every answer is checked from the programme alone. Demand that cannot be met, where it has no
 * shortfall price, is answered by a certificate.
 */
export function solve(programme: Programme, options: SolveOptions = {}): Solution {
  const tolerance = options.tolerance ?? defaultTolerance
  const { start, maxVisits = defaultVisits(programme) } = options
  const work = createWork(maxVisits)
  const terms = { tolerance, money: moneyScale(programme), work, start }
  const { shortfallPrice } = programme
  if (shortfallPrice) return solveElastic(programme, shortfallPrice, terms)
  let best: Found | undefined
  let penalty = 8 * (terms.money + costliest(programme))
  for (let attempt = 0; attempt === 0 || (attempt < 4 && !isSpent(work)); attempt++) {
    const price = new Float64Array(programme.tasks).fill(penalty)
    const refuse = ({ prices }: Draft): Infeasible | undefined => {
      charge(work, looks * programme.operators * programme.tasks)
      const certificate = certify(programme, prices, price)
      return certificate && { status: 'infeasible', certificate, effort: work.effort }
    }
    const solution = solveElastic(programme, price, terms, refuse)
    if (solution.status !== 'stalled') return solution
    if (!best || solution.violation < best.violation) best = solution
    penalty *= 64
  }
  return best as Found
}

/** Times that looking for a certificate goes through all pairs, at most. */
const looks = 5

type Terms = {
  readonly tolerance: number
  readonly money: number
  readonly work: Work
  readonly start: Prices | undefined
}

/**
 * Solves with a shortfall price for every task, by one method after the other until one does.
 *
 * @param refuse - looks for a proof that the demand cannot be met; none where it need not be.
 */
function solveElastic(
  programme: Programme,
  shortfallPrice: Float64Array,
  terms: Terms,
  refuse?: (draft: Draft) => Infeasible | undefined,
): Solution {
  const { work, tolerance } = terms
  const frame = createFrame(programme, shortfallPrice, terms.money)
  const context: Context = { frame, lookup: lookupOf(programme), work }
  const check = lastOnly((point: Point): Answer => {
    const draft = mended(frame, point)
    const refusal = draft.violation > tolerance ? refuse?.(draft) : undefined
    return { draft, refusal, found: once(() => assess(frame, draft, tolerance, work)) }
  })
  const within =
    (part: number): Judge =>
    (point) => {
      const { draft, refusal, found } = check(point)
      if (refusal) return 'good'
      // The gap takes a look at every pair, the violation does not.
      if (draft.violation > 0.3 * tolerance) return 'broken'
      return found().gap <= part * tolerance ? 'good' : 'poor'
    }
  let best: Found | undefined
  for (const attempt of attempts(context, terms, within)) {
    const { converged, point } = attempt()
    const { found: judged, refusal } = check(point)
    if (refusal) return refusal
    const found = judged()
    if (found.status === 'optimal' || converged) return found
    if (!best || found.gap + found.violation < best.gap + best.violation) best = found
    if (isSpent(work)) break
  }
  return best as Found
}

type Answer = {
  readonly draft: Draft
  readonly refusal: Infeasible | undefined
  readonly found: () => Found
}

/** The same function, which remembers its last answer. */
function lastOnly<A, B>(compute: (argument: A) => B): (argument: A) => B {
  let last: { readonly argument: A; readonly value: B } | undefined
  return (argument) => {
    if (last?.argument !== argument) last = { argument, value: compute(argument) }
    return last.value
  }
}

/** The same value, computed when it is first asked for. */
function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined
  return () => {
    known ??= { value: compute() }
    return known.value
  }
}

type Attempt = () => Stage

/** Makes a judge of points: gap within a part of the tolerance. */
type Within = (part: number) => Judge

/** The methods, the fastest first. */
function attempts(context: Context, terms: Terms, within: Within): Attempt[] {
  const { frame } = context
  const { start } = terms
  const tolerance = firstResidual * terms.tolerance
  if (smallestCongestion(frame) === 0) return linearAttempts(context, tolerance, within)
  const judge = within(aim)
  const goal = { ...quick, tolerance, judge }
  const careful = { ...patient, tolerance, judge }
  return [
    ...(start ? [() => resume(context, fromPrices(frame, start), goal)] : []),
    () => {
      const from = approximate(context, 0)
      return direct(context, from, from.isNear ? near(frame) : Infinity, goal)
    },
    () => follow(context, coldStart(frame), 0, careful),
    () => proximal(context, farFrom(context, careful), judge),
  ]
}

/** From the prices of a similar programme. */
const resume = (context: Context, from: Start, goal: Goal): Stage =>
  complete(context, from, restrict(context, from, 0.2 * near(context.frame)).edges, goal)

/** A solution with so much more congestion that it is easily found: where proximal steps begin. */
const farFrom = (context: Context, goal: Goal): Stage =>
  follow(context, coldStart(context.frame), smoothing(context.frame) / 300, goal)

function linearAttempts(context: Context, tolerance: number, within: Within): Attempt[] {
  const { frame } = context
  const judge = within(0.3)
  const far = () => farFrom(context, { ...patient, tolerance, judge })
  if (!isNetwork(frame)) return [() => proximal(context, far(), judge)]
  const rho = gentle(frame)
  return [
    () => {
      const from = approximate(context, rho)
      const slack = from.isNear ? near(frame) : Infinity
      return exactly(context, direct(context, from, slack, { ...rough, rho }))
    },
    () => exactly(context, far()),
    () => proximal(context, far(), judge),
  ]
}

/** Network simplex over the pairs near the prices of `from`, until no other pair earns anything. */
function exactly(context: Context, from: Stage): Stage {
  let stage = from
  for (let round = 0; round < 20; round++) {
    const known = round > 0 ? stage.point.edges : undefined
    const { edges, missing } = restrict(context, stage.point, near(context.frame), known)
    if (round > 0 && missing === 0) return { ...stage, converged: true }
    const point = solveNetwork(context.frame, { ...stage.point, edges }, context.work)
    if (!point) break
    stage = { point, converged: false }
  }
  return { ...stage, converged: false }
}

/** How far good prices may be off, money a unit. */
const near = ({ money }: Frame): number => 0.015 * money

const fewOperators = 100

/**
 * Prices from a part of the operators where there are many, else from none.
 *
 * @param rho - congestion to add; 0 for the programme's own.
 */
function approximate(context: Context, rho: number): Start & { readonly isNear: boolean } {
  const { frame, lookup } = context
  const start = coldStart(frame)
  const { operators: n, tasks, money } = frame
  const stride = Math.min(16, Math.floor(n / Math.max(fewOperators, tasks / 8)))
  if (stride < 3) return { ...start, isNear: false }
  const programme = coarsen(frame.programme, stride)
  const shortfallPrice = frame.lower.slice(0, tasks).map((price) => -price)
  const coarseFrame = createFrame(programme, shortfallPrice, money)
  const coarse: Context = { ...context, frame: coarseFrame, lookup: lookupOf(programme) }
  const coarseRho = Math.max(rho / stride, meanOf(programme.congestion), smoothness(coarseFrame))
  const from = approximate(coarse, coarseRho)
  const goal = { ...rough, rho: coarseRho }
  let stage = direct(coarse, from, from.isNear ? near(frame) : Infinity, goal)
  if (!stage.converged)
    stage = follow(coarse, coldStart(coarseFrame), coarseRho, { ...goal, maxSteps: 200 })
  if (!stage.converged) return { ...start, isNear: false }
  const { y, lambda } = stage.point
  const few = programme.operators
  frame.resources.forEach((_, k) => {
    for (let i = 0; i < n; i++) {
      const like = Math.min(few - 1, Math.floor(i / stride))
      start.lambda[k * n + i] = lambda[k * few + like] as number
    }
  })
  priceRows(frame, lookup, y, start.lambda, rho, context.work)
  return { y, lambda: start.lambda, isNear: true }
}

/** Congestion to add where there is so little that a rough answer would take long. */
function smoothness(frame: Frame): number {
  const least = 0.1 * gentle(frame)
  return smallestCongestion(frame) < least ? least : 0
}

/** The largest marginal congestion that a unit can cause. */
function costliest({ congestion, demand, loadCongestion, resources }: Programme): number {
  const [first] = resources
  const load = loadCongestion && first ? maxOf(loadCongestion) * maxOf(first.capacity) : 0
  return maxOf(congestion) * maxOf(demand) + load
}
