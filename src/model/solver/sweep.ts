import { roomValue } from '../evaluate.ts'
import type { Dual } from './dual.ts'
import { columnPrice, type Frame } from './frame.ts'
import { priceRow } from './price-row.ts'
import { netMargins, pivotRows, solveRows } from './row-several.ts'
import { sweepPlain } from './sweep-plain.ts'
import { charge } from './work.ts'

/**
 * Evaluates the dual function and its gradient.
 *
 * @param y - column prices.
 * @returns the dual value of the edges' programme at (y, best λ).
 */
export function sweep(dual: Dual, y: Float64Array): number {
  if (dual.frame.isPlain) return sweepPlain(dual, y)
  const { frame, capacityPrice: lambda, gradient, activeStart, buffer } = dual
  const { operators: n, columns, limit, capacity, kappa } = frame
  const k = frame.resources.length
  let value = 0
  for (let c = 0; c < columns; c++) {
    const most = limit[c] as number
    gradient[c] = most
    value += (y[c] as number) * most
  }
  const end = { active: 0 }
  for (let i = 0; i < n; i++) {
    activeStart[i] = end.active
    const ki = kappa[i] as number
    if (k === 1) {
      const count = priceRow(dual, i, y, gatherRow)
      const price = lambda[i] as number
      value += roomValue(price, capacity[i] as number, ki) + placeRow(dual, i, count, price, end)
    } else {
      const count = gatherRow(dual, i, y, 0)
      solveRows(frame, buffer, count, i, lambda)
      for (let r = 0; r < k; r++) {
        const own = lambda[r * n + i] as number
        value += roomValue(own, capacity[r * n + i] as number, r === 0 ? ki : 0)
      }
      netMargins(buffer, count, lambda, i, n, k)
      value += placeRow(dual, i, count, 0, end)
    }
    setPivot(dual, i, end.active)
  }
  activeStart[n] = end.active
  dual.work.effort.sweeps++
  charge(dual.work, dual.edges.count + n + columns)
  return value
}

/** Puts the row's edges that earn more than the floor costs them into the buffer. */
function gatherRow(dual: Dual, i: number, y: Float64Array, floor: number): number {
  const { frame, edges, value, inverse, buffer } = dual
  const { start, task, cap, use, isUnit, count: room } = edges
  const { margin, inverse: inverses, cap: caps, use: uses, id, size } = buffer
  const isPlain = frame.columns === frame.tasks
  const k = frame.resources.length
  let count = 0
  for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
    const t = task[e] as number
    const price = isPlain ? (y[t] as number) : columnPrice(frame, y, i, t)
    const earns = (value[e] as number) - price
    if (earns <= (isUnit ? floor : (use[e] as number) * floor)) continue
    margin[count] = earns
    inverses[count] = inverse[e] as number
    caps[count] = cap[e] as number
    // Where all uses are one, the buffer's are so from the start.
    if (!isUnit) for (let r = 0; r < k; r++) uses[r * size + count] = use[r * room + e] as number
    id[count++] = e
  }
  return count
}

/**
 * Adds the row's loads to the gradient and lists its edges strictly between their bounds; returns
 * what its edges earn beyond `price` a unit of use.
 */
function placeRow(
  dual: Dual,
  i: number,
  count: number,
  price: number,
  end: { active: number },
): number {
  const { edges, gradient, buffer, frame, activeTask, activeInverse, activeUse } = dual
  const { margin, use, inverse, cap, id, size } = buffer
  const { task, count: room } = edges
  const isPlain = frame.columns === frame.tasks
  const k = frame.resources.length
  let active = end.active
  let value = 0
  for (let n = 0; n < count; n++) {
    const a = use[n] as number
    const net = (margin[n] as number) - a * price
    if (net <= 0) continue
    const w = inverse[n] as number
    const t = task[id[n] as number] as number
    const most = cap[n] as number
    let x = net * w
    if (x < most) {
      value += 0.5 * net * x
      activeTask[active] = t
      activeInverse[active] = w
      activeUse[active] = a
      for (let r = 1; r < k; r++) activeUse[r * room + active] = use[r * size + n] as number
      active++
    } else {
      x = most
      value += x * (net - (0.5 * x) / w)
    }
    gradient[t] = (gradient[t] as number) - x
    if (!isPlain) addLoads(frame, gradient, i, t, x)
  }
  end.active = active
  return value
}

function addLoads(frame: Frame, gradient: Float64Array, i: number, t: number, x: number): void {
  const { stake, floor, securityAt, groupOf, groupAt, tasks } = frame
  if (stake) {
    const c = securityAt + t
    gradient[c] = (gradient[c] as number) + x * ((stake[i] as number) - (floor[t] as number))
  }
  if (groupOf && (groupOf[i] as number) >= 0) {
    const c = groupAt + (groupOf[i] as number) * tasks + t
    gradient[c] = (gradient[c] as number) - x
  }
}

function setPivot(dual: Dual, i: number, end: number): void {
  const { frame, activeStart, activeInverse, activeUse, pivot, capacityPrice } = dual
  const { kappa, capacity } = frame
  if (frame.resources.length > 1) {
    pivotRows(dual, i, end)
    return
  }
  const price = capacityPrice[i] as number
  const ki = kappa[i] as number
  let curvature = ki > 0 && price < ki * (capacity[i] as number) ? 1 / ki : 0
  for (let e = activeStart[i] as number; e < end; e++) {
    const a = activeUse[e] as number
    curvature += a * a * (activeInverse[e] as number)
  }
  pivot[i] = price > 0 && curvature > 0 ? 1 / curvature : 0
}
