import type { Resource } from '../programme.ts'
import type { Lookup } from './frame.ts'

/** The pairs that take part, row by row; all others are zero until a scan finds that they earn. */
export type Edges = {
  /** Shape [N + 1]. */
  readonly start: Int32Array
  /** How many pairs there are. */
  readonly count: number
  readonly task: Int32Array
  readonly utility: Float64Array
  readonly congestion: Float64Array
  readonly cap: Float64Array
  /** Shape [K × count]; empty where all uses are one. See `useOfEdge`. */
  readonly use: Float64Array
  /** Whether all uses are one. */
  readonly isUnit: boolean
}

/** Units of resource k that a unit of edge e takes. */
export const useOfEdge = ({ use, isUnit, count }: Edges, k: number, e: number): number =>
  isUnit ? 1 : (use[k * count + e] as number)

/** The tasks of each operator that may be worth doing, and their utility, as a scan found them. */
export type Candidates = Pick<Edges, 'start' | 'task' | 'utility'>

/** Gathers what the solver needs of each candidate. */
export function gatherEdges(
  { start, task, utility }: Candidates,
  demand: Float64Array,
  lookup: Lookup,
  resources: readonly Resource[],
): Edges {
  const operators = start.length - 1
  const tasks = demand.length
  const count = task.length
  const congestions = new Float64Array(count)
  const caps = new Float64Array(count)
  const { congestion, isCongestionPair, cap, isCapPair } = lookup
  for (let i = 0; i < operators; i++) {
    const base = i * tasks
    const own = isCongestionPair ? 0 : (congestion[i] as number)
    for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
      const t = task[e] as number
      congestions[e] = isCongestionPair ? (congestion[base + t] as number) : own
      const most = cap[isCapPair ? base + t : t] as number
      const all = demand[t] as number
      caps[e] = Math.min(most, all)
    }
  }
  return {
    start,
    count,
    task,
    utility,
    congestion: congestions,
    cap: caps,
    isUnit: isUnit(resources),
    use: gatherUses(start, task, resources, tasks),
  }
}

/** Whether a unit of work takes one of every resource. */
export const isUnit = (resources: readonly Resource[]): boolean =>
  resources.every(({ use }) => use === undefined)

function gatherUses(
  start: Int32Array,
  task: Int32Array,
  resources: readonly Resource[],
  tasks: number,
): Float64Array {
  if (isUnit(resources)) return new Float64Array(0)
  const count = task.length
  const uses = new Float64Array(resources.length * count)
  resources.forEach(({ use }, k) => {
    const into = uses.subarray(k * count, (k + 1) * count)
    if (!use) into.fill(1)
    else gatherUse(start, task, use, tasks, into)
  })
  return uses
}

function gatherUse(
  start: Int32Array,
  task: Int32Array,
  use: Float64Array,
  tasks: number,
  into: Float64Array,
): void {
  const isPair = use.length !== tasks
  for (let i = 0; i + 1 < start.length; i++)
    for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
      const t = task[e] as number
      into[e] = use[isPair ? i * tasks + t : t] as number
    }
}

/** Units that an entry does more for each money that it earns more. */
export const inverseOf = (congestion: number): number => 1 / Math.max(congestion, least)

/** Congestion below which units would overflow. */
const least = 1e-150
