import { type Edges, inverseOf } from './edges.ts'
import { columnPrice, type Frame } from './frame.ts'
import { createRowBuffer, type RowBuffer } from './row.ts'
import type { Work } from './work.ts'

/**
 * The dual function of a stage at given column prices, with the operators' own prices eliminated
 * row by row, and the second derivative's parts that Newton's method needs.
 */
export type Dual = {
  readonly frame: Frame
  readonly edges: Edges
  /** Linear coefficient of each edge: u, plus ρ × centre. */
  readonly value: Float64Array
  /** 1 ÷ (q + ρ) of each edge. */
  readonly inverse: Float64Array
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
  readonly work: Work
}

/**
 * The stage with congestion q + ρ around `centre`; the programme itself with ρ = 0.
 *
 * @param capacityPrice - λ to start from, shape [K × N]; every sweep changes it.
 * @param centre - units of each edge, or undefined for zero everywhere.
 */
export function createDual(
  frame: Frame,
  edges: Edges,
  capacityPrice: Float64Array,
  rho: number,
  centre: Float64Array | undefined,
  work: Work,
): Dual {
  const { operators: n, resources, tasks, columns } = frame
  const { count, congestion, utility, isUnit } = edges
  const k = resources.length
  const inverse = new Float64Array(count)
  for (let e = 0; e < count; e++) inverse[e] = inverseOf((congestion[e] as number) + rho)
  return {
    frame,
    edges,
    value: centre ? utility.map((u, e) => u + rho * (centre[e] as number)) : utility,
    inverse,
    capacityPrice,
    gradient: new Float64Array(columns),
    activeStart: new Int32Array(n + 1),
    activeTask: new Int32Array(count),
    activeInverse: new Float64Array(count),
    activeUse: new Float64Array(frame.isPlain ? 0 : count * k),
    pivot: new Float64Array(n * k * k),
    buffer: createRowBuffer(tasks, k, isUnit, work),
    window: new Float64Array(n).fill(0.005 * frame.money),
    work,
  }
}

/** Units of each edge at these prices, as the last sweep left λ. */
export function unitsAt(dual: Dual, y: Float64Array): Float64Array {
  const { frame, edges, value, inverse, capacityPrice } = dual
  const { start, task, cap, use, count, isUnit } = edges
  const { operators: n, resources } = frame
  const k = resources.length
  const isPlain = frame.columns === frame.tasks
  const units = new Float64Array(count)
  for (let i = 0; i < n; i++) {
    let own = 0
    if (isUnit) for (let r = 0; r < k; r++) own += capacityPrice[r * n + i] as number
    for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
      const t = task[e] as number
      const price = isPlain ? (y[t] as number) : columnPrice(frame, y, i, t)
      let net = (value[e] as number) - price - own
      if (!isUnit)
        for (let r = 0; r < k; r++)
          net -= (use[r * count + e] as number) * (capacityPrice[r * n + i] as number)
      const x = net * (inverse[e] as number)
      const most = cap[e] as number
      units[e] = Number(x > 0) * Number(x < most) * x + Number(x >= most) * most
    }
  }
  return units
}
