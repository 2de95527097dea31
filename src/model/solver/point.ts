import { type Candidates, type Edges, gatherEdges } from './edges.ts'
import type { Frame, Lookup } from './frame.ts'
import { type Known, scan } from './scan.ts'
import { charge, type Work } from './work.ts'

/** Where a method stands: prices, the pairs that take part, and their units. */
export type Point = {
  readonly y: Float64Array
  readonly lambda: Float64Array
  readonly edges: Edges
  readonly units: Float64Array
}

/** What every stage of a solve shares. */
export type Context = {
  readonly frame: Frame
  readonly lookup: Lookup
  readonly work: Work
}

/** The pairs worth a look at these prices, beside those already known. */
export function restrict(
  { frame, lookup, work }: Context,
  prices: { readonly y: Float64Array; readonly lambda: Float64Array },
  slack: number,
  known?: Edges,
): { readonly edges: Edges; readonly missing: number } {
  countScan(frame, work)
  const { y, lambda } = prices
  const { candidates, missing } = scan(frame, lookup, { y, lambda, slack, known, wider: undefined })
  if (known && candidates.task.length === known.count) return { edges: known, missing }
  return { edges: edgesOf(frame, lookup, candidates), missing }
}

/** The pairs worth a look at these prices, of which a wider scan has listed most already. */
export function narrow(
  { frame, lookup, work }: Context,
  { y, lambda }: { readonly y: Float64Array; readonly lambda: Float64Array },
  slack: number,
  wider: Known,
): Edges {
  countScan(frame, work)
  const { candidates } = scan(frame, lookup, { y, lambda, slack, known: undefined, wider })
  return edgesOf(frame, lookup, candidates)
}

function countScan({ operators, tasks }: Frame, work: Work): void {
  work.effort.scans++
  charge(work, operators * tasks)
}

const edgesOf = ({ programme, resources }: Frame, lookup: Lookup, candidates: Candidates): Edges =>
  gatherEdges(candidates, programme.demand, lookup, resources)

/** Units of old edges at their place among new ones, zero for those that are new. */
export function carry(from: Edges, units: Float64Array, to: Edges): Float64Array {
  if (from === to) return units
  const carried = new Float64Array(to.count)
  for (let i = 0; i + 1 < to.start.length; i++) {
    let at = from.start[i] as number
    const end = from.start[i + 1] as number
    for (let e = to.start[i] as number; e < (to.start[i + 1] as number); e++) {
      while (at < end && (from.task[at] as number) < (to.task[e] as number)) at++
      if (at < end && from.task[at] === to.task[e]) carried[e] = units[at] as number
    }
  }
  return carried
}
