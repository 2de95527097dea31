import { roomValue } from '../evaluate.ts'
import type { Edges } from './edges.ts'
import type { Frame } from './frame.ts'
import { createRowBuffer, type RowBuffer, solveRow } from './row.ts'
import { netMargins, pivotRows, solveRows } from './row-several.ts'
import { sweepPlain } from './sweep-plain.ts'

/**
 * The dual function at given column prices, with the operators' own prices eliminated row by row,
 * and the second derivative's parts that Newton's method needs.
 */
export type Dual = {
  readonly frame: Frame
  readonly edges: Edges
  /** λ of the last sweep, shape [K × N]; the next sweep starts from it. */
  readonly capacityPrice: Float64Array
  /** Derivative by each column price: limit − load. */
  readonly gradient: Float64Array
  /** Edges strictly between their bounds, row by row. */
  readonly activeStart: Int32Array
  readonly activeTask: Int32Array
  readonly activeInverse: Float64Array
  /** Shape [K × room]; empty for plain frames, where it would be one everywhere. */
  readonly activeUse: Float64Array
  /** Inverse curvature of each row in its own prices, shape [N × K × K]; zero for spare ones. */
  readonly pivot: Float64Array
  readonly buffer: RowBuffer
  /** How far each operator's price may fall below its last before all its edges are looked at. */
  readonly window: Float64Array
  /** How often the edges were gone through. */
  sweeps: number
  /** Pairs gone through, products included. */
  visits: number
}

/** @param capacityPrice - λ to start from, shape [K × N]. */
export function createDual(frame: Frame, edges: Edges, capacityPrice: Float64Array): Dual {
  const { operators: n, resources, tasks, columns } = frame
  const k = resources.length
  return {
    frame,
    edges,
    capacityPrice,
    gradient: new Float64Array(columns),
    activeStart: new Int32Array(n + 1),
    activeTask: new Int32Array(edges.count),
    activeInverse: new Float64Array(edges.count),
    activeUse: new Float64Array(frame.isPlain ? 0 : edges.count * k),
    pivot: new Float64Array(n * k * k),
    buffer: createRowBuffer(tasks, k, edges.isUnit),
    window: new Float64Array(n).fill(0.005 * frame.money),
    sweeps: 0,
    visits: 0,
  }
}

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
  dual.sweeps++
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
      const count = priceRow(dual, i, y)
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
  dual.visits += dual.edges.count + n + columns + buffer.several.visits
  buffer.several.visits = 0
  return value
}

/**
 * Sets the operator's price; returns how many of its edges are in the buffer. Edges that earn less
 * than a price somewhat below the last one are left out: they cannot matter unless the price falls
 * below that, and then all are looked at.
 */
function priceRow(dual: Dual, i: number, y: Float64Array): number {
  const { frame, capacityPrice, buffer, window } = dual
  const last = capacityPrice[i] as number
  const capacity = frame.capacity[i] as number
  const kappa = frame.kappa[i] as number
  const floor = Math.max(last - (window[i] as number), 0)
  let count = gatherRow(dual, i, y, floor)
  let price = solveRow(buffer, count, capacity, kappa, last)
  if (price < floor) {
    count = gatherRow(dual, i, y, 0)
    price = solveRow(buffer, count, capacity, kappa, last)
  }
  window[i] = 2 * Math.abs(price - last) + 1e-3 * frame.money
  capacityPrice[i] = price
  return count
}

/** Price of edge (i, t) in the column prices. */
export function columnPrice(frame: Frame, y: Float64Array, i: number, t: number): number {
  const { stake, floor, securityAt, groupOf, groupAt, tasks } = frame
  let price = y[t] as number
  if (stake) price -= (y[securityAt + t] as number) * ((stake[i] as number) - (floor[t] as number))
  if (groupOf && (groupOf[i] as number) >= 0)
    price += y[groupAt + (groupOf[i] as number) * tasks + t] as number
  return price
}

/** Puts the row's edges that earn more than the floor costs them into the buffer. */
function gatherRow(
  { frame, edges, buffer }: Dual,
  i: number,
  y: Float64Array,
  floor: number,
): number {
  const { start, task, value, inverse, cap, use, count: room } = edges
  const { margin, inverse: inverses, cap: caps, use: uses, id, size } = buffer
  const isPlain = frame.columns === frame.tasks
  const k = frame.resources.length
  let count = 0
  for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
    const t = task[e] as number
    const price = isPlain ? (y[t] as number) : columnPrice(frame, y, i, t)
    const earns = (value[e] as number) - price
    if (earns <= (edges.isUnit ? floor : (use[e] as number) * floor)) continue
    margin[count] = earns
    inverses[count] = inverse[e] as number
    caps[count] = cap[e] as number
    uses[count] = use[e] as number
    for (let r = 1; r < k; r++) uses[r * size + count] = use[r * room + e] as number
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

/** Units of each edge at these prices, as the last sweep left λ. */
export function unitsAt({ frame, edges, capacityPrice }: Dual, y: Float64Array): Float64Array {
  const { start, task, value, inverse, cap, use, count, isUnit } = edges
  const { operators: n, resources } = frame
  const isPlain = frame.columns === frame.tasks
  const units = new Float64Array(count)
  for (let i = 0; i < n; i++) {
    const own = isUnit && resources.length === 1 ? (capacityPrice[i] as number) : undefined
    for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
      const t = task[e] as number
      let net = (value[e] as number) - (isPlain ? (y[t] as number) : columnPrice(frame, y, i, t))
      if (own !== undefined) net -= own
      else
        for (let r = 0; r < resources.length; r++)
          net -= (use[r * count + e] as number) * (capacityPrice[r * n + i] as number)
      const x = net * (inverse[e] as number)
      const most = cap[e] as number
      units[e] = Number(x > 0) * Number(x < most) * x + Number(x >= most) * most
    }
  }
  return units
}
