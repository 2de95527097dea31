import type { Dual } from './dual.ts'
import { solveRow } from './row.ts'

/**
 * Puts those of an operator's edges into the buffer that earn more than the floor costs them;
 * returns how many.
 */
export type Gather = (dual: Dual, i: number, y: Float64Array, floor: number) => number

/**
 * Sets the price of an operator's only resource; returns how many of its edges are in the buffer.
 * Edges that earn less than a price somewhat below the last one are left out: they cannot matter
 * unless the price falls below that, and then all are looked at.
 */
export function priceRow(dual: Dual, i: number, y: Float64Array, gather: Gather): number {
  const { frame, capacityPrice, buffer, window } = dual
  const last = capacityPrice[i] as number
  const capacity = frame.capacity[i] as number
  const kappa = frame.kappa[i] as number
  const floor = Math.max(last - (window[i] as number), 0)
  let count = gather(dual, i, y, floor)
  let price = solveRow(buffer, count, capacity, kappa, last)
  if (price < floor) {
    count = gather(dual, i, y, 0)
    price = solveRow(buffer, count, capacity, kappa, last)
  }
  window[i] = 2 * Math.abs(price - last) + 1e-3 * frame.money
  capacityPrice[i] = price
  return buffer.search.count
}
