import { type Edges, useOfEdge } from '../solver/edges.ts'
import { columnPrice, type Frame } from '../solver/frame.ts'

/** Prices of columns and of operators' limits, as the frame orders them. */
export type FramePrices = { readonly y: Float64Array; readonly lambda: Float64Array }

/** ∂L/∂x of every pair at units x: u − q x − κ a L − a λ − π. */
export function slopes(
  frame: Frame,
  edges: Edges,
  x: Float64Array,
  { y, lambda }: FramePrices,
): Float64Array {
  const { operators: n, resources, kappa } = frame
  const { start, task, utility, congestion, count } = edges
  const into = new Float64Array(count)
  for (let i = 0; i < n; i++) {
    const [first, end] = [start[i] as number, start[i + 1] as number]
    let load = 0
    for (let e = first; e < end; e++) load += useOfEdge(edges, 0, e) * (x[e] as number)
    const congested = (kappa[i] as number) * load
    for (let e = first; e < end; e++) {
      let slope = (utility[e] as number) - (congestion[e] as number) * (x[e] as number)
      slope -= columnPrice(frame, y, i, task[e] as number) + useOfEdge(edges, 0, e) * congested
      for (let k = 0; k < resources.length; k++)
        slope -= useOfEdge(edges, k, e) * (lambda[k * n + i] as number)
      into[e] = slope
    }
  }
  return into
}

/** What x leaves of every limit: limit − load, of columns and of operators' limits. */
export function slack(frame: Frame, edges: Edges, x: Float64Array): FramePrices {
  const { operators: n, resources, capacity, limit, stake, floor, groupOf } = frame
  const { securityAt, groupAt, tasks } = frame
  const { start, task } = edges
  const y = limit.slice()
  const lambda = capacity.slice()
  const take = (into: Float64Array, at: number, amount: number) => {
    into[at] = (into[at] as number) - amount
  }
  for (let i = 0; i < n; i++)
    for (let e = start[i] as number; e < (start[i + 1] as number); e++) {
      const t = task[e] as number
      const units = x[e] as number
      take(y, t, units)
      if (stake) take(y, securityAt + t, ((floor[t] as number) - (stake[i] as number)) * units)
      const group = groupOf ? (groupOf[i] as number) : -1
      if (group >= 0) take(y, groupAt + group * tasks + t, units)
      for (let k = 0; k < resources.length; k++)
        take(lambda, k * n + i, useOfEdge(edges, k, e) * units)
    }
  return { y, lambda }
}

/** Moves prices against the slack and back to where they are allowed. Changes `prices`. */
export function movePrices(
  frame: Frame,
  prices: FramePrices,
  left: FramePrices,
  rate: number,
): void {
  for (let c = 0; c < prices.y.length; c++) {
    const moved = (prices.y[c] as number) - rate * (left.y[c] as number)
    prices.y[c] = Math.max(moved, frame.lower[c] as number)
  }
  for (let c = 0; c < prices.lambda.length; c++) {
    const moved = (prices.lambda[c] as number) - rate * (left.lambda[c] as number)
    prices.lambda[c] = Math.max(moved, 0)
  }
}

/** Largest singular value of the constraints' matrix, by power iteration, rounded up by 1 %. */
export function constraintNorm(frame: Frame, edges: Edges): number {
  const flat: Frame = {
    ...frame,
    limit: new Float64Array(frame.columns),
    capacity: new Float64Array(frame.capacity.length),
    kappa: new Float64Array(frame.operators),
  }
  const free: Edges = {
    ...edges,
    utility: new Float64Array(edges.count),
    congestion: new Float64Array(edges.count),
  }
  let x: Float64Array = new Float64Array(edges.count).fill(1)
  let norm = 0
  for (let k = 0; k < 60; k++) {
    const size = Math.hypot(...chunks(x))
    if (size === 0) return 0
    const unit = x.map((value) => value / size)
    const next = slopes(flat, free, unit, slack(flat, free, unit))
    norm = Math.sqrt(Math.hypot(...chunks(next)))
    x = next
  }
  return 1.01 * norm
}

/** Partial norms: `Math.hypot` takes only so many arguments. */
function chunks(values: Float64Array): number[] {
  const norms: number[] = []
  for (let at = 0; at < values.length; at += 10_000)
    norms.push(Math.hypot(...values.subarray(at, at + 10_000)))
  return norms
}
