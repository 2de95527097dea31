import { useOf } from '../evaluate.ts'
import { layoutOf, type Programme, type Resource } from '../programme.ts'
import { inverseOf, isUnit } from './edges.ts'
import { columnPrice, type Frame, type Lookup } from './frame.ts'
import { createRowBuffer, type RowBuffer, solveRow } from './row.ts'
import { solveRows } from './row-several.ts'
import { charge, type Work } from './work.ts'

/** Column prices and operators' prices to start from. */
export type Start = { readonly y: Float64Array; readonly lambda: Float64Array }

/** Prices without any knowledge: a part of what the best of a few operators earns. */
export function coldStart(frame: Frame): Start {
  const { operators: n, tasks: m, programme } = frame
  const { utility } = programme
  const best = new Float64Array(m).fill(-Infinity)
  const stride = Math.max(1, n >> 6)
  for (let i = 0; i < n; i += stride)
    for (let t = 0; t < m; t++) best[t] = Math.max(best[t] as number, utility[i * m + t] as number)
  const y = new Float64Array(frame.columns)
  for (let t = 0; t < m; t++) {
    const most = best[t] as number
    y[t] = Math.max(most > 0 ? 0.7 * most : most, frame.lower[t] as number)
  }
  return { y, lambda: new Float64Array(frame.resources.length * n) }
}

/**
 * Every `stride`-th operator standing for `stride` of them: a smaller programme with nearly the
 * same column prices.
 */
export function coarsen(programme: Programme, stride: number): Programme {
  const { operators, tasks: m, resources, security, groups } = programme
  const n = Math.floor(operators / stride)
  const rows = <T extends Float64Array | Int32Array>(values: T, width: number): T => {
    const picked = values.slice(0, n * width) as T
    for (let i = 0; i < n; i++)
      picked.set(values.subarray(i * stride * width, (i * stride + 1) * width), i * width)
    return picked
  }
  const matrix = (values: Float64Array, short: 'row' | 'column'): Float64Array => {
    const layout = layoutOf(programme, values, short)
    if (layout === 'pair') return rows(values, m)
    return layout === 'row' ? rows(values, 1) : values
  }
  return {
    ...programme,
    operators: n,
    utility: rows(programme.utility, m),
    congestion: matrix(programme.congestion, 'row').map((q) => q / stride),
    ...(programme.loadCongestion && {
      loadCongestion: rows(programme.loadCongestion, 1).map((kappa) => kappa / stride),
    }),
    resources: resources.map(({ name, capacity, use }) => {
      const picked = rows(capacity, 1)
      const factor = sum(capacity) / Math.max(sum(picked), Number.MIN_VALUE)
      return {
        name,
        capacity: picked.map((room) => room * factor),
        ...(use && { use: matrix(use, 'column') }),
      }
    }),
    cap: matrix(programme.cap, 'column').map((most) => most * stride),
    ...(security && { security: { ...security, stake: rows(security.stake, 1) } }),
    ...(groups && { groups: { ...groups, of: rows(groups.of, 1) } }),
  }
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)

/**
 * About the operators' own prices at given column prices: what they would be if the tasks that are
 * looked at, all of few or a sample of many, stood for all.
 *
 * @param lambda - shape [K × N]: a guess, and the result.
 */
export function priceRows(
  frame: Frame,
  lookup: Lookup,
  y: Float64Array,
  lambda: Float64Array,
  rho: number,
  work: Work,
): void {
  const { operators: n, tasks: m, resources, capacity, kappa } = frame
  const buffer = createRowBuffer(m, resources.length, isUnit(resources), work)
  const step = resources.length > 1 ? 1 : Math.max(1, Math.floor(m / sampledTasks))
  charge(work, n * Math.ceil(m / step))
  for (let i = 0; i < n; i++) {
    const count = gatherRow(frame, lookup, buffer, { i, y, rho, step })
    if (resources.length > 1) solveRows(frame, buffer, count, i, lambda)
    else {
      const room = (capacity[i] as number) / step
      const own = (kappa[i] as number) * step
      lambda[i] = solveRow(buffer, count, room, own, lambda[i] as number)
    }
  }
}

const sampledTasks = 200

type Row = {
  readonly i: number
  readonly y: Float64Array
  readonly rho: number
  /** Only every so many tasks. */
  readonly step: number
}

/** Entries of row i that would earn something if capacity cost nothing. */
function gatherRow(frame: Frame, lookup: Lookup, buffer: RowBuffer, row: Row): number {
  const { tasks: m, programme, resources } = frame
  const { i, y, rho, step } = row
  const { utility, demand } = programme
  const { margin, id, inverse, cap: caps, use: uses, size } = buffer
  const { congestion, isCongestionPair, cap, isCapPair } = lookup
  const base = i * m
  const hasExtras = frame.columns > m
  let count = 0
  for (let t = 0; t < m; t += step) {
    const price = hasExtras ? columnPrice(frame, y, i, t) : (y[t] as number)
    const earns = (utility[base + t] as number) - price
    margin[count] = earns
    id[count] = t
    count += Number(earns > 0)
  }
  for (let n = 0; n < count; n++) {
    const t = id[n] as number
    inverse[n] = inverseOf((congestion[isCongestionPair ? base + t : i] as number) + rho)
    caps[n] = Math.min(cap[isCapPair ? base + t : t] as number, demand[t] as number)
    if (buffer.isUnit) continue
    for (let k = 0; k < resources.length; k++)
      uses[k * size + n] = useOf(resources[k] as Resource, i, t, m)
  }
  return count
}
