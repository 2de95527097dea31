import { pairOf, useOf } from './evaluate.ts'
import { loadsOf } from './kkt.ts'
import { type Programme, type Resource, toDense } from './programme.ts'
import type { Found } from './solution.ts'

/** What the second derivative says about a candidate that satisfies the first-order conditions. */
export type SecondOrder = {
  /**
   * `strict`: no other allocation is as good. `flat`: there may be others as good. With q ≥ 0 and κ
   * ≥ 0 nothing else can be, since the programme is concave.
   */
  readonly verdict: 'strict' | 'flat'
  /**
   * Largest eigenvalue of ∇²L over the pairs strictly between their bounds; ≤ 0. −∞ without any.
   */
  readonly largest: number
  /** Smallest eigenvalue; its size bounds the step of gradient methods. */
  readonly smallest: number
}

/**
 * The second-order condition of a maximum: zᵀ ∇²_xx L z ≤ 0 on the critical cone, < 0 for a strict
 * one. Here ∇²_xx L = −diag(q) − κ_i a aᵀ for each operator.
 *
 * The paper asks for a positive semidefinite Hessian with eigenvalues ≥ 0: that is the condition of
 * a minimum, and holds for −L. The joint Hessian in (x, λ) is indefinite at every optimum and says
 * nothing. Stability of an iteration is another matter, see `stepLimit`.
 *
 * @param margin - how close to a bound counts as at it, relative to demand.
 */
export function secondOrder(
  programme: Programme,
  { allocation }: Pick<Found, 'allocation'>,
  margin = 1e-9,
): SecondOrder {
  const { operators: n, tasks: m } = programme
  const dense = toDense(allocation, m)
  let largest = -Infinity
  let smallest = 0
  const flat: number[] = []
  for (let i = 0; i < n; i++) {
    const free = freePairs(programme, dense, i, margin)
    if (free.length === 0) continue
    const range = curvatureRange(programme, i, free)
    largest = Math.max(largest, -range.least)
    smallest = Math.min(smallest, -range.most)
    const pair = pairOf(programme)
    flat.push(...free.filter((t) => pair.congestion(i, t) === 0).map((t) => i * m + t))
  }
  const isStrict = flat.length === 0 || areDetermined(programme, dense, flat, margin)
  return { verdict: isStrict ? 'strict' : 'flat', largest: largest + 0, smallest: smallest + 0 }
}

/**
 * h_max: the largest curvature of the objective, and 2/h_max: the step from which on the gradient
 * rule with fixed prices no longer settles.
 */
export function stepLimit(programme: Programme): {
  readonly curvature: number
  readonly step: number
} {
  const all = Array.from({ length: programme.tasks }, (_, t) => t)
  let curvature = 0
  for (let i = 0; i < programme.operators; i++)
    curvature = Math.max(curvature, curvatureRange(programme, i, all).most)
  return { curvature, step: 2 / curvature }
}

/** Least and largest eigenvalue of diag(q) + κ a aᵀ over some tasks of one operator. */
function curvatureRange(
  programme: Programme,
  i: number,
  tasks: readonly number[],
): { readonly least: number; readonly most: number } {
  const pair = pairOf(programme)
  const q = tasks.map((t) => pair.congestion(i, t))
  const kappa = programme.loadCongestion?.[i] ?? 0
  const first = programme.resources[0] as Resource
  const a = tasks.map((t) => useOf(first, i, t, programme.tasks))
  const [least, next, top] = [...ends(q)]
  const added = kappa * a.reduce((sum, use) => sum + use * use, 0)
  if (added === 0) return { least, most: top }
  // Eigenvalues are roots of 1 = Σ κ a² / (h − q): one above the largest q, and the least between
  // the two smallest.
  const excess = (h: number) =>
    q.reduce((sum, value, k) => sum + (kappa * (a[k] as number) ** 2) / (h - value), 0) - 1
  const isSingle = next > least
  return {
    least: isSingle ? bisect(excess, least, next, added) : least,
    most: bisect(excess, top, top + added, added),
  }
}

/** Smallest, second smallest (∞ for a single one) and largest. */
function ends(values: readonly number[]): readonly [number, number, number] {
  const sorted = values.toSorted((a, b) => a - b)
  return [sorted[0] as number, sorted[1] ?? Infinity, sorted.at(-1) as number]
}

/** Where a function that falls from +∞ crosses zero. */
function bisect(f: (h: number) => number, low: number, high: number, most: number): number {
  let [a, b] = [low, Math.min(high, low + most)]
  for (let k = 0; k < 200; k++) {
    const middle = 0.5 * (a + b)
    if (middle <= a || middle >= b) break
    if (f(middle) > 0) a = middle
    else b = middle
  }
  return 0.5 * (a + b)
}

function freePairs(programme: Programme, dense: Float64Array, i: number, margin: number): number[] {
  const { tasks: m, demand } = programme
  const pair = pairOf(programme)
  return Array.from({ length: m }, (_, t) => t).filter((t) => {
    const x = dense[i * m + t] as number
    const d = demand[t] as number
    return x > margin * d && x < Math.min(pair.cap(i, t), d) - margin * d
  })
}

/**
 * Whether the flat pairs cannot move together without breaking a limit that binds: their columns in
 * the binding constraints are independent.
 */
function areDetermined(
  programme: Programme,
  dense: Float64Array,
  flat: readonly number[],
  margin: number,
): boolean {
  const { operators: n, tasks: m, resources, loadCongestion } = programme
  const isTight = resources.map(() => new Array<boolean>(n).fill(false))
  for (let i = 0; i < n; i++) {
    const loads = loadsOf(programme, dense, i)
    resources.forEach(({ capacity }, k) => {
      const room = capacity[i] as number
      const curved = k === 0 && (loadCongestion?.[i] ?? 0) > 0
      const row = isTight[k] as boolean[]
      row[i] = curved || (loads[k] as number) >= room * (1 - margin)
    })
  }
  const pivots = new Map<number, ReadonlyMap<number, number>>()
  return flat.every((e) => {
    const i = Math.floor(e / m)
    const column = new Map<number, number>([[e % m, 1]])
    resources.forEach((resource, k) => {
      const use = useOf(resource, i, e % m, m)
      if ((isTight[k] as boolean[])[i] && use !== 0) column.set(m + k * n + i, use)
    })
    return isIndependent(column, pivots)
  })
}

/** Eliminates a sparse column by those before it; keeps what is left as a pivot, if anything is. */
function isIndependent(
  column: Map<number, number>,
  pivots: Map<number, ReadonlyMap<number, number>>,
): boolean {
  for (;;) {
    const at = [...column.keys()].find((row) => pivots.has(row))
    if (at === undefined) break
    const pivot = pivots.get(at) as ReadonlyMap<number, number>
    const factor = (column.get(at) as number) / (pivot.get(at) as number)
    for (const [row, value] of pivot) {
      const left = (column.get(row) ?? 0) - factor * value
      if (Math.abs(left) < 1e-12) column.delete(row)
      else column.set(row, left)
    }
    column.delete(at)
  }
  const [first] = column.keys()
  if (first === undefined) return false
  pivots.set(first, column)
  return true
}
