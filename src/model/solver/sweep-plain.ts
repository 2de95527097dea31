import { roomValue } from '../evaluate.ts'
import type { Dual } from './dual.ts'
import { priceRow } from './price-row.ts'
import { charge } from './work.ts'

/**
 * As `sweep`, for plain frames. The inner loops add and store without asking: whether an entry
 * counts is a factor 0 or 1, since a branch that cannot be foretold costs more than the arithmetic.
 */
export function sweepPlain(dual: Dual, y: Float64Array): number {
  const { frame, capacityPrice, gradient, activeStart } = dual
  const { operators, tasks, limit, capacity, kappa } = frame
  let value = 0
  for (let t = 0; t < tasks; t++) {
    const most = limit[t] as number
    gradient[t] = most
    value += (y[t] as number) * most
  }
  let active = 0
  for (let i = 0; i < operators; i++) {
    activeStart[i] = active
    const count = priceRow(dual, i, y, gatherRow)
    const price = capacityPrice[i] as number
    active += listRow(dual, active, count)
    setPivot(dual, i)
    value += roomValue(price, capacity[i] as number, kappa[i] as number)
    value += placeRow(dual, count, price)
  }
  activeStart[operators] = active
  dual.work.effort.sweeps++
  charge(dual.work, dual.edges.count + operators + tasks)
  return value
}

/** Puts the row's edges that earn more than the floor into the buffer. */
function gatherRow(dual: Dual, i: number, y: Float64Array, floor: number): number {
  const { edges, value, inverse, buffer } = dual
  const { start, task, cap } = edges
  const { margin, inverse: inverses, cap: caps, id } = buffer
  let count = 0
  for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
    const earns = (value[e] as number) - (y[task[e] as number] as number)
    margin[count] = earns
    id[count] = e
    count += Number(earns > floor)
  }
  for (let n = 0; n < count; n++) {
    const e = id[n] as number
    inverses[n] = inverse[e] as number
    caps[n] = cap[e] as number
    id[n] = task[e] as number
  }
  return count
}

/** Lists the entries strictly between their bounds from `at` on; returns how many. */
function listRow({ buffer, activeTask, activeInverse }: Dual, at: number, count: number): number {
  const { inverse, cap, units, id } = buffer
  let end = at
  for (let n = 0; n < count; n++) {
    const x = units[n] as number
    activeTask[end] = id[n] as number
    activeInverse[end] = inverse[n] as number
    end += Number(x > 0) & Number(x < (cap[n] as number))
  }
  return end - at
}

/** Adds the row's loads to the gradient; returns what its entries earn beyond the row's price. */
function placeRow({ gradient, buffer }: Dual, count: number, price: number): number {
  const { margin, inverse, units, id } = buffer
  let value = 0
  for (let n = 0; n < count; n++) {
    const x = units[n] as number
    const t = id[n] as number
    value += x * ((margin[n] as number) - price - (0.5 * x) / (inverse[n] as number))
    gradient[t] = (gradient[t] as number) - x
  }
  return value
}

function setPivot({ capacityPrice, buffer, pivot }: Dual, i: number): void {
  const price = capacityPrice[i] as number
  const slope = buffer.search.slope
  pivot[i] = price > 0 && slope > 0 ? 1 / slope : 0
}
