import { createDual, type Dual, unitsAt } from './dual.ts'
import type { Edges } from './edges.ts'
import type { Frame } from './frame.ts'
import { minimise, type NewtonEnd, type NewtonOptions } from './newton.ts'
import { type Context, carry, narrow, type Point, restrict } from './point.ts'
import type { Known } from './scan.ts'
import type { Start } from './start.ts'
import { isSpent } from './work.ts'

/** A point, and whether it solves what was asked for. */
export type Stage = { readonly point: Point; readonly converged: boolean }

/** What a stage is to reach. */
export type Goal = Pick<NewtonOptions, 'tolerance' | 'maxSteps' | 'patience'> & {
  /** Congestion to add; none for the programme itself. */
  readonly rho?: number
  readonly judge: Judge
}

/**
 * Whether a point is good enough, whatever pairs were left out; if not, whether the reason is that
 * limits are broken, or that it could earn more.
 */
export type Judge = (point: Point) => 'good' | 'broken' | 'poor'

const maxRounds = 12

/**
 * Newton's method on the programme itself, over the pairs that matter. The first rounds find the
 * neighbourhood, with ever fewer pairs; in the last one, pairs that turn out to earn something join
 * until the whole is good enough. Fast where pieces are wide: congestion well above zero.
 *
 * @param start - changed on the way.
 * @param slack - how far prices may be off, money a unit; Infinity when nothing is known.
 */
export function direct(context: Context, start: Start, slack: number, goal: Goal): Stage {
  const { operators, tasks, money } = context.frame
  const { edges } = restrict(context, start, slack)
  if (operators * tasks <= smallSize) return complete(context, start, edges, goal)
  const isLost = slack === Infinity
  const width = isLost ? 0.03 * money : slack
  const tolerance = Math.max(0.02, goal.tolerance)
  const rounds = [
    ...(isLost ? [{ tolerance: 0.2, slack: width }] : []),
    { tolerance, slack: Math.min(0.1 * width, 0.003 * money) },
  ]
  let known: Known = { edges, slack, y: start.y.slice(), lambda: start.lambda.slice() }
  for (const round of rounds) {
    const { y, lambda } = start
    const point = { y, lambda, edges: known.edges }
    const rough = { ...goal, tolerance: round.tolerance }
    const { end, dual } = run(context, point, goal.rho ?? 0, undefined, rough)
    if (!end.converged) return { point: { ...point, units: unitsAt(dual, y) }, converged: false }
    const next = narrow(context, start, round.slack, known)
    known = { edges: next, slack: round.slack, y: y.slice(), lambda: lambda.slice() }
  }
  return complete(context, start, known.edges, goal)
}

/** Up to this many pairs, all take part from the start. */
const smallSize = 20_000

/**
 * Rounds until the whole is good enough: pairs that turn out to earn something join; where there
 * are none, the residual was too large.
 *
 * @param start - changed on the way.
 * @param near - the pairs to begin with.
 */
export function complete(context: Context, start: Start, near: Edges, goal: Goal): Stage {
  const { y, lambda } = start
  let edges = near
  let { tolerance } = goal
  for (let count = 1; ; count++) {
    const before = y.slice()
    const { end, dual } = run(context, { y, lambda, edges }, goal.rho ?? 0, undefined, {
      ...goal,
      tolerance,
    })
    const point = { y, lambda, edges, units: unitsAt(dual, y) }
    if (!end.converged || count >= maxRounds) return { point, converged: false }
    const verdict = goal.judge(point)
    if (verdict === 'good') return { point, converged: true }
    // Limits are broken by the residual; what could be earned is the business of other pairs.
    if (verdict === 'broken' && tolerance > finest) {
      tolerance = Math.max(1e-2 * tolerance, finest)
      continue
    }
    const next = restrict(context, start, 0.1 * farthest(before, y), edges)
    edges = next.edges
    if (next.missing > 0) continue
    if (tolerance <= finest) return { point, converged: true }
    tolerance = Math.max(1e-2 * tolerance, finest)
  }
}

/** Residual below which rounding errors are all that is left. */
const finest = 1e-11

/**
 * Follows the solutions from a congestion so large that everybody does a little of everything down
 * to the programme's own: each stage starts next to its solution. For ties, identical operators and
 * programmes that are nearly linear.
 *
 * @param least - congestion at which to end; 0 for the programme itself.
 */
export function follow(context: Context, start: Start, least: number, goal: Goal): Stage {
  const { frame } = context
  const { y, lambda } = start
  let slack = Infinity
  for (let rho = smoothing(frame); ; rho /= 4) {
    const isLast = rho < least || rho < 0.25 * smallestCongestion(frame)
    if (isLast && least === 0) return direct(context, start, slack, goal)
    const before = y.slice()
    const { edges } = restrict(context, start, slack)
    const { end, dual } = run(context, { y, lambda, edges }, rho, undefined, {
      tolerance: 0.03,
      maxSteps: 60,
      patience: 20,
    })
    if (isLast || isSpent(context.work)) {
      const units = unitsAt(dual, y)
      return { point: { y, lambda, edges, units }, converged: isLast && end.converged }
    }
    slack = 4 * farthest(before, y)
  }
}

/**
 * Proximal steps: each solves the programme with congestion ρ around the last allocation. Ends in
 * the programme's own solution, even where congestion is zero.
 */
export function proximal(context: Context, from: Stage, judge: Judge): Stage {
  const { y, lambda } = from.point
  const largest = smoothing(context.frame)
  let { edges, units } = from.point
  let tolerance = 1e-2
  let rho = largest / 300
  for (let k = 0; k < 60 && !isSpent(context.work); k++) {
    const before = y.slice()
    const { dual } = run(context, { y, lambda, edges }, rho, units, {
      tolerance,
      maxSteps: 400,
      patience: 80,
    })
    units = unitsAt(dual, y)
    const point = { y, lambda, edges, units }
    const next = restrict(context, { y, lambda }, 0.5 * farthest(before, y), edges)
    if (next.missing === 0 && judge(point) === 'good') return { point, converged: true }
    units = carry(edges, units, next.edges)
    edges = next.edges
    tolerance = Math.max(tolerance * 0.3, 1e-10)
    rho = Math.max(rho / 3, largest * 1e-8)
  }
  return { point: { y, lambda, edges, units }, converged: false }
}

function run(
  { frame, work }: Context,
  { y, lambda, edges }: Omit<Point, 'units'>,
  rho: number,
  centre: Float64Array | undefined,
  goal: Omit<Goal, 'judge'>,
): { readonly end: NewtonEnd; readonly dual: Dual } {
  const dual = createDual(frame, edges, lambda, rho, centre, work)
  const end = minimise(dual, y, goal)
  return { end, dual }
}

/** A congestion at which an even spread costs about as much as utilities differ. */
export function smoothing({
  programme,
  operators,
  tasks,
  money,
}: Pick<Frame, 'programme' | 'operators' | 'tasks' | 'money'>): number {
  const demand = programme.demand.reduce((a, b) => a + b, 0)
  return demand > 0 ? (money * operators * tasks) / demand : money
}

/** A congestion at which a task's usual cap costs a tenth of what it earns. */
export function gentle({ programme, capacity, operators, tasks, money }: Frame): number {
  const { cap, demand } = programme
  const room = capacity.subarray(0, operators).reduce((a, b) => a + b, 0) / operators
  let sum = 0
  for (let t = 0; t < tasks; t++) sum += Math.min(cap[t] as number, demand[t] as number, room)
  return sum > 0 ? (0.1 * money * tasks) / sum : smoothing({ programme, operators, tasks, money })
}

/** The least congestion of any pair. */
export const smallestCongestion = ({ programme }: Frame): number =>
  programme.congestion.reduce((a, b) => Math.min(a, b), Infinity)

/** The largest change of any column price. */
function farthest(before: Float64Array, after: Float64Array): number {
  let most = 0
  for (let c = 0; c < after.length; c++)
    most = Math.max(most, Math.abs((after[c] as number) - (before[c] as number)))
  return most
}
