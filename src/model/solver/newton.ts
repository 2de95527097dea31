import { addDiagonal, multiply } from './curvature.ts'
import type { Dual } from './dual.ts'
import type { Frame } from './frame.ts'
import { sweep } from './sweep.ts'
import { isSpent } from './work.ts'

/** How a run of Newton's method ended. */
export type NewtonEnd = {
  readonly value: number
  /** Largest residual of a column constraint, relative. */
  readonly residual: number
  readonly converged: boolean
  readonly steps: number
}

/** When to stop, and how far to go. */
export type NewtonOptions = {
  /** Relative residual at which to stop. */
  readonly tolerance: number
  readonly maxSteps: number
  /** Steps in a row without a residual a tenth below the best so far, before giving up. */
  readonly patience: number
}

type Scratch = {
  readonly step: Float64Array
  readonly residual: Float64Array
  readonly search: Float64Array
  readonly image: Float64Array
  readonly diagonal: Float64Array
  readonly damping: Float64Array
  readonly trial: Float64Array
  readonly gradient: Float64Array
  readonly isFixed: Uint8Array
}

const createScratch = (columns: number): Scratch => ({
  step: new Float64Array(columns),
  residual: new Float64Array(columns),
  search: new Float64Array(columns),
  image: new Float64Array(columns),
  diagonal: new Float64Array(columns),
  damping: new Float64Array(columns),
  trial: new Float64Array(columns),
  gradient: new Float64Array(columns),
  isFixed: new Uint8Array(columns),
})

const maxLineSweeps = 14
const maxConjugate = 2000

/**
 * Minimises the dual over column prices by a projected semismooth Newton method with conjugate
 * gradients, damped so that no price moves much further than `reach` in a step. Changes `y`.
 */
export function minimise(dual: Dual, y: Float64Array, options: NewtonOptions): NewtonEnd {
  const { frame, gradient, work } = dual
  const scratch = createScratch(frame.columns)
  let reach = 0.25 * frame.money
  let value = sweep(dual, y)
  let residual = fix(frame, y, gradient, scratch)
  let best = residual
  let idle = 0
  let steps = 0
  const isGoing = () =>
    residual > options.tolerance && steps < options.maxSteps && idle < options.patience
  while (isGoing() && !isSpent(work)) {
    steps++
    dampen(dual, scratch, reach)
    // Quadratic convergence, but no better than what is asked for.
    const accuracy = Math.max(Math.min(0.05, residual), (0.1 * options.tolerance) / residual)
    work.effort.conjugate += solveDirection(dual, scratch, accuracy)
    scratch.gradient.set(gradient)
    const length = lineSearch(dual, y, value, scratch, (found) => {
      value = found
    })
    reach *= length < 0.5 ? Math.max(length, 0.25) : 2
    reach = Math.min(Math.max(reach, 1e-9 * frame.money), 4 * frame.money)
    residual = fix(frame, y, gradient, scratch)
    idle = residual < 0.9 * best ? 0 : idle + 1
    best = Math.min(best, residual)
  }
  work.effort.newton += steps
  return { value, residual, converged: residual <= options.tolerance, steps }
}

/** Marks prices at a bound that want to go below it; returns the largest relative residual left. */
function fix(frame: Frame, y: Float64Array, gradient: Float64Array, { isFixed }: Scratch): number {
  const { columns, lower, weight } = frame
  let largest = 0
  for (let c = 0; c < columns; c++) {
    const g = gradient[c] as number
    const fixed = (y[c] as number) <= (lower[c] as number) && g >= 0
    isFixed[c] = fixed ? 1 : 0
    if (!fixed) largest = Math.max(largest, Math.abs(g) / (weight[c] as number))
  }
  return largest
}

/** Diagonal of the damped second derivative: the damping keeps each price within `reach`. */
function dampen(dual: Dual, { diagonal, damping, isFixed }: Scratch, reach: number): void {
  const { gradient, frame } = dual
  diagonal.fill(0)
  addDiagonal(dual, diagonal)
  let mean = 0
  for (let c = 0; c < frame.columns; c++) mean += diagonal[c] as number
  mean /= frame.columns
  for (let c = 0; c < frame.columns; c++) {
    const far = reach * (frame.span[c] as number)
    const own = Math.abs(gradient[c] as number) / far + 1e-11 * mean + Number.MIN_VALUE
    damping[c] = own
    diagonal[c] = isFixed[c] ? Infinity : (diagonal[c] as number) + own
  }
}

/** Conjugate gradients with the diagonal as preconditioner; returns the number of products. */
function solveDirection(dual: Dual, scratch: Scratch, tolerance: number): number {
  const { step, residual, search, image, diagonal, damping } = scratch
  const { columns } = dual.frame
  let rho = 0
  for (let c = 0; c < columns; c++) {
    const g = -(dual.gradient[c] as number)
    const z = g / (diagonal[c] as number) // zero where the price is fixed
    step[c] = 0
    residual[c] = diagonal[c] === Infinity ? 0 : g
    search[c] = z
    rho += g * z
  }
  const target = rho * tolerance * tolerance
  for (let k = 1; k <= maxConjugate; k++) {
    multiply(dual, search, image)
    let curvature = 0
    for (let c = 0; c < columns; c++) {
      const s = search[c] as number
      const product =
        diagonal[c] === Infinity ? 0 : (image[c] as number) + (damping[c] as number) * s
      image[c] = product
      curvature += s * product
    }
    if (!(curvature > 0)) return k
    const length = rho / curvature
    let next = 0
    for (let c = 0; c < columns; c++) {
      step[c] = (step[c] as number) + length * (search[c] as number)
      const r = (residual[c] as number) - length * (image[c] as number)
      residual[c] = r
      next += (r * r) / (diagonal[c] as number)
    }
    if (next <= target || isSpent(dual.work)) return k
    const keep = next / rho
    rho = next
    for (let c = 0; c < columns; c++)
      search[c] = (residual[c] as number) / (diagonal[c] as number) + keep * (search[c] as number)
  }
  return maxConjugate
}

/**
 * Moves `y` along the step, cut at the bounds, to where the dual has clearly fallen and no longer
 * falls steeply; returns the length taken, 0 when nothing helps.
 */
function lineSearch(
  dual: Dual,
  y: Float64Array,
  value: number,
  scratch: Scratch,
  found: (value: number) => void,
): number {
  const { trial, gradient: start } = scratch
  const before = slopeAlong(dual, start, scratch)
  const noise = 1e-13 * Math.abs(value)
  let length = 1
  for (let k = 0; k < maxLineSweeps && !isSpent(dual.work); k++) {
    const gain = moveTo(dual.frame, y, scratch, length)
    const next = sweep(dual, trial)
    const slope = slopeAlong(dual, dual.gradient, scratch)
    const isLower = next <= value + 1e-4 * gain + noise
    if ((isLower && slope <= -0.5 * before) || (isLower && k >= 3)) {
      y.set(trial)
      found(next)
      return length
    }
    const secant = slope > 0 ? (length * -before) / (slope - before) : 0.5 * length
    length = Math.min(Math.max(secant, 0.05 * length), 0.9 * length)
  }
  sweep(dual, y)
  return 0
}

/** Derivative of the dual along the step. */
function slopeAlong({ frame }: Dual, gradient: Float64Array, { step }: Scratch): number {
  let slope = 0
  for (let c = 0; c < frame.columns; c++) slope += (gradient[c] as number) * (step[c] as number)
  return slope
}

/** Sets the trial prices; returns the first-order change of the dual on the way there. */
function moveTo(frame: Frame, y: Float64Array, scratch: Scratch, length: number): number {
  const { trial, step, gradient } = scratch
  let change = 0
  for (let c = 0; c < frame.columns; c++) {
    const from = y[c] as number
    const to = Math.max(from + length * (step[c] as number), frame.lower[c] as number)
    trial[c] = to
    change += (gradient[c] as number) * (to - from)
  }
  return change
}
