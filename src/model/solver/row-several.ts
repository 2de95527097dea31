import { roomValue } from '../evaluate.ts'
import type { Dual } from './dual.ts'
import type { Frame } from './frame.ts'
import { type RowBuffer, solveRow } from './row.ts'
import { isSpent } from './work.ts'

const maxNewton = 40
const maxRounds = 400
const tolerance = 1e-12
/** Visits that an entry of a row's matrix is worth, to be inverted. */
const matrixCost = 10

/**
 * The prices of one operator's K > 1 limits: the least value over λ ≥ 0 of what its entries earn
 * beyond λ, plus what its room costs. Projected Newton, then exact steps along one price at a time.
 */
export function solveRows(
  frame: Frame,
  buffer: RowBuffer,
  count: number,
  i: number,
  lambda: Float64Array,
): void {
  const { operators: n, resources } = frame
  const { price } = buffer.several
  const k = resources.length
  buffer.work.effort.visits += matrixCost * k * k
  for (let r = 0; r < k; r++) price[r] = lambda[r * n + i] as number
  if (!newton(frame, buffer, count, i)) coordinates(frame, buffer, count, i)
  for (let r = 0; r < k; r++) lambda[r * n + i] = price[r] as number
}

function newton(frame: Frame, buffer: RowBuffer, count: number, i: number): boolean {
  const { price, trial, slope, step } = buffer.several
  const k = price.length
  let value = evaluate(frame, buffer, count, i, price)
  for (let at = 0; at < maxNewton && !isSpent(buffer.work); at++) {
    if (isStationary(frame, i, price, slope)) return true
    direction(buffer)
    buffer.work.effort.visits += matrixCost * k * k
    let length = 1
    let better = false
    for (let tries = 0; tries < 30 && !better; tries++) {
      let gain = 0
      for (let r = 0; r < k; r++) {
        trial[r] = Math.max(0, (price[r] as number) + length * (step[r] as number))
        gain += (slope[r] as number) * ((trial[r] as number) - (price[r] as number))
      }
      const next = valueAt(frame, buffer, count, i, trial)
      better = next <= value + 1e-4 * gain
      if (better && (gain === 0 || next === value)) return false
      length *= 0.4
    }
    if (!better) return false
    price.set(trial)
    value = evaluate(frame, buffer, count, i, price)
  }
  return false
}

/** Newton's step on the prices that are free to move, in `step`. */
function direction({ several }: RowBuffer): void {
  const { price, slope, step, bend, inverse } = several
  const k = price.length
  const isFree = (r: number) => (price[r] as number) > 0 || (slope[r] as number) < 0
  invertFree(bend, inverse, k, isFree)
  for (let r = 0; r < k; r++) {
    let sum = 0
    for (let c = 0; c < k; c++) sum -= (inverse[r * k + c] as number) * (slope[c] as number)
    step[r] = sum
  }
}

function isStationary(
  { capacity, operators: n }: Frame,
  i: number,
  price: Float64Array,
  slope: Float64Array,
): boolean {
  for (let r = 0; r < price.length; r++) {
    const g = slope[r] as number
    const excess = (price[r] as number) > 0 ? Math.abs(g) : -g
    if (excess > tolerance * (capacity[r * n + i] as number)) return false
  }
  return true
}

/** Exact steps along one price at a time until none moves. */
function coordinates(frame: Frame, buffer: RowBuffer, count: number, i: number): void {
  const { price, margin } = buffer.several
  const { size, use } = buffer
  const k = price.length
  for (let round = 0; round < maxRounds && !isSpent(buffer.work); round++) {
    let moved = 0
    let largest = frame.money
    for (let r = 0; r < k; r++) {
      for (let t = 0; t < count; t++) {
        let left = buffer.margin[t] as number
        for (let o = 0; o < k; o++)
          if (o !== r) left -= (use[o * size + t] as number) * (price[o] as number)
        margin[t] = left
      }
      // Entries stay where they are: the other prices need them all.
      const single = {
        ...buffer,
        margin,
        use: use.subarray(r * size, (r + 1) * size),
        isUnit: false,
      }
      const room = frame.capacity[r * frame.operators + i] as number
      const kappa = r === 0 ? (frame.kappa[i] as number) : 0
      const next = solveRow(single, count, room, kappa, price[r] as number)
      moved = Math.max(moved, Math.abs(next - (price[r] as number)))
      largest = Math.max(largest, next)
      price[r] = next
    }
    if (moved <= 1e-15 * largest) return
  }
}

function evaluate(
  frame: Frame,
  buffer: RowBuffer,
  count: number,
  i: number,
  price: Float64Array,
): number {
  const { slope, bend } = buffer.several
  const { use, size, inverse, cap, margin, work } = buffer
  const { operators: n, capacity, kappa } = frame
  const k = price.length
  work.effort.visits += count * k
  bend.fill(0)
  for (let r = 0; r < k; r++) slope[r] = capacity[r * n + i] as number
  const ki = kappa[i] as number
  const first = price[0] as number
  if (ki > 0 && first < ki * (capacity[i] as number)) {
    slope[0] = first / ki
    bend[0] = 1 / ki
  }
  for (let t = 0; t < count; t++) {
    let net = margin[t] as number
    for (let r = 0; r < k; r++) net -= (use[r * size + t] as number) * (price[r] as number)
    if (net <= 0) continue
    const w = inverse[t] as number
    const most = cap[t] as number
    const x = Math.min(net * w, most)
    for (let r = 0; r < k; r++) {
      const a = use[r * size + t] as number
      slope[r] = (slope[r] as number) - a * x
      if (x < most)
        for (let c = 0; c < k; c++)
          bend[r * k + c] = (bend[r * k + c] as number) + w * a * (use[c * size + t] as number)
    }
  }
  return valueAt(frame, buffer, count, i, price)
}

function valueAt(
  { operators: n, capacity, kappa }: Frame,
  { use, size, inverse, cap, margin, work }: RowBuffer,
  count: number,
  i: number,
  price: Float64Array,
): number {
  const k = price.length
  work.effort.visits += count * k
  let value = 0
  for (let r = 0; r < k; r++) {
    const ki = r === 0 ? (kappa[i] as number) : 0
    value += roomValue(price[r] as number, capacity[r * n + i] as number, ki)
  }
  for (let t = 0; t < count; t++) {
    let net = margin[t] as number
    for (let r = 0; r < k; r++) net -= (use[r * size + t] as number) * (price[r] as number)
    if (net <= 0) continue
    const w = inverse[t] as number
    const x = Math.min(net * w, cap[t] as number)
    value += x * (net - (0.5 * x) / w)
  }
  return value
}

/** Takes the row's own prices off the margins, so that what is left is what an entry earns. */
export function netMargins(
  { margin, use, size }: RowBuffer,
  count: number,
  lambda: Float64Array,
  i: number,
  n: number,
  k: number,
): void {
  for (let t = 0; t < count; t++) {
    let net = margin[t] as number
    for (let r = 0; r < k; r++) net -= (use[r * size + t] as number) * (lambda[r * n + i] as number)
    margin[t] = net
  }
}

/** Inverse curvature of row i in those of its prices that are positive, into `dual.pivot`. */
export function pivotRows(dual: Dual, i: number, end: number): void {
  const { frame, edges, activeStart, activeInverse, activeUse, pivot, capacityPrice } = dual
  const { operators: n, kappa, capacity } = frame
  const { bend, inverse } = dual.buffer.several
  const k = frame.resources.length
  bend.fill(0)
  const first = capacityPrice[i] as number
  const ki = kappa[i] as number
  if (ki > 0 && first < ki * (capacity[i] as number)) bend[0] = 1 / ki
  for (let e = activeStart[i] as number; e < end; e++) {
    const w = activeInverse[e] as number
    for (let r = 0; r < k; r++)
      for (let c = 0; c < k; c++)
        bend[r * k + c] =
          (bend[r * k + c] as number) +
          w *
            (activeUse[r * edges.count + e] as number) *
            (activeUse[c * edges.count + e] as number)
  }
  invertFree(bend, inverse, k, (r) => (capacityPrice[r * n + i] as number) > 0)
  pivot.set(inverse, i * k * k)
}

/**
 * Inverse of the rows and columns that are free, zero elsewhere. A ridge of 10^-13 of the diagonal
 * stands in where limits bind together.
 */
function invertFree(
  matrix: Float64Array,
  into: Float64Array,
  k: number,
  isFree: (r: number) => boolean,
): void {
  const free = Array.from({ length: k }, (_, r) => r).filter(
    (r) => isFree(r) && (matrix[r * k + r] as number) > 0,
  )
  into.fill(0)
  const work = free.map((r) => free.map((c) => matrix[r * k + c] as number))
  const unit = free.map((_, r) => free.map((_, c) => (r === c ? 1 : 0)))
  for (let p = 0; p < free.length; p++) {
    const [row, one] = [work[p] as number[], unit[p] as number[]]
    const ridge = 1e-13 * (matrix[(free[p] as number) * (k + 1)] as number)
    const scale = 1 / Math.max(row[p] as number, ridge)
    row.forEach((value, c) => {
      row[c] = value * scale
    })
    one.forEach((value, c) => {
      one[c] = value * scale
    })
    for (let r = 0; r < free.length; r++) {
      if (r === p) continue
      const [other, its] = [work[r] as number[], unit[r] as number[]]
      const factor = other[p] as number
      for (let c = 0; c < free.length; c++) {
        other[c] = (other[c] as number) - factor * (row[c] as number)
        its[c] = (its[c] as number) - factor * (one[c] as number)
      }
    }
  }
  free.forEach((r, a) => {
    free.forEach((c, b) => {
      into[r * k + c] = (unit[a] as number[])[b] as number
    })
  })
}
