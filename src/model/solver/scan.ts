import { eachEarning, listEarning, type VisitRow } from '../earning.ts'
import { useOf } from '../evaluate.ts'
import type { Resource } from '../programme.ts'
import type { Candidates, Edges } from './edges.ts'
import { columnPrice, type Frame, type Lookup } from './frame.ts'

/** What a pass over all pairs found. */
export type Scan = {
  readonly candidates: Candidates
  /** Pairs that earn something and were not among the edges; not counted without edges. */
  readonly missing: number
}

/** What a scan listed, and the prices and slack it did so with. */
export type Known = {
  readonly edges: Edges
  readonly y: Float64Array
  readonly lambda: Float64Array
  readonly slack: number
}

type Options = {
  /** Column prices. */
  readonly y: Float64Array
  /** λ, shape [K × N]. */
  readonly lambda: Float64Array
  /** How much a pair may lose and still be a candidate, money a unit; Infinity for all pairs. */
  readonly slack: number
  /** The edges so far; they stay. */
  readonly known: Edges | undefined
  /** A wider scan: rows whose prices have hardly fallen since then need not be read again. */
  readonly wider: Known | undefined
}

/** Goes through all pairs: which earn something, or nearly, at these prices? */
export function scan(frame: Frame, lookup: Lookup, options: Options): Scan {
  const { operators: n, tasks: m } = frame
  const { known, wider } = options
  const list = createList(n, m, options.slack)
  let missing = 0
  const take: VisitRow = (i, found, from, count) => {
    makeRoom(list, m)
    const passing = found.subarray(from, from + count)
    if (known) missing += merge(frame, lookup, options, known, i, passing, list)
    else append(frame, lookup, i, passing, list)
    list.start[i + 1] = list.count
  }
  if (options.slack === Infinity) {
    const all = Int32Array.from({ length: m }, (_, t) => t)
    for (let i = 0; i < n; i++) take(i, all, 0, m)
  } else if (frame.isPlain && !wider) {
    const least = options.lambda.map((price) => price - options.slack)
    eachEarning(frame.programme.utility, options.y, least, take)
  } else scanRows(frame, options, list, take)
  const { start, task, utility, count } = list
  return {
    candidates: { start, task: task.subarray(0, count), utility: utility.subarray(0, count) },
    missing,
  }
}

/** Row by row; those whose price has hardly fallen since a wider scan are not read again. */
function scanRows(frame: Frame, options: Options, list: List, take: VisitRow): void {
  const { wider } = options
  const found = new Int32Array(frame.tasks)
  const canFall = spareOf(frame, options)
  for (let i = 0; i < frame.operators; i++)
    if (wider && fallOf(wider, options, i) <= canFall) {
      makeRoom(list, frame.tasks)
      passAgain(wider.edges, options, i, list)
      list.start[i + 1] = list.count
    } else take(i, found, 0, pass(frame, options, i, found))
}

type List = {
  readonly start: Int32Array
  readonly largest: number
  task: Int32Array
  utility: Float64Array
  count: number
}

function createList(n: number, m: number, slack: number): List {
  const room = slack === Infinity ? n * m : Math.min(n * m, Math.max(4 * m, 96 * n))
  return {
    start: new Int32Array(n + 1),
    largest: n * m,
    task: new Int32Array(room),
    utility: new Float64Array(room),
    count: 0,
  }
}

function makeRoom(list: List, more: number): void {
  const needed = list.count + more
  if (needed <= list.task.length) return
  const room = Math.min(list.largest, Math.max(2 * list.task.length, needed))
  const { task, utility } = list
  list.task = new Int32Array(room)
  list.task.set(task)
  list.utility = new Float64Array(room)
  list.utility.set(utility)
}

/** Lists the tasks of row i that lose less than the slack; returns how many. */
function pass(frame: Frame, options: Options, i: number, found: Int32Array): number {
  const { tasks: m, programme } = frame
  const { slack, y, lambda } = options
  if (frame.isPlain)
    return listEarning(programme.utility, y, (lambda[i] as number) - slack, i, found)
  let count = 0
  for (let t = 0; t < m; t++) if (netOf(frame, options, i, t) > -slack) found[count++] = t
  return count
}

/**
 * How far an operator's price may fall before a pair that the wider scan left out could be within
 * the slack; negative where that is not known.
 */
function spareOf(frame: Frame, { wider, slack, y }: Options): number {
  if (!wider || !frame.isPlain) return -1
  let fall = 0
  for (let t = 0; t < y.length; t++)
    fall = Math.max(fall, (wider.y[t] as number) - (y[t] as number))
  return wider.slack - slack - fall
}

const fallOf = (wider: Known, { lambda }: Options, i: number): number =>
  Math.max((wider.lambda[i] as number) - (lambda[i] as number), 0)

/** As `pass` and `append`, over the edges of a wider scan. */
function passAgain(edges: Edges, { y, lambda, slack }: Options, i: number, list: List): void {
  const { start, task, utility } = edges
  const least = (lambda[i] as number) - slack
  let { count } = list
  for (let e = start[i] as number, end = start[i + 1] as number; e < end; e++) {
    const t = task[e] as number
    const u = utility[e] as number
    list.task[count] = t
    list.utility[count] = u
    count += Number(u - (y[t] as number) > least)
  }
  list.count = count
}

function append(frame: Frame, lookup: Lookup, i: number, found: Int32Array, list: List): void {
  const { task, utility } = list
  const { utility: all } = frame.programme
  const base = i * frame.tasks
  let { count } = list
  if (lookup.isOpen && found.length === frame.tasks) {
    task.set(found, count)
    utility.set(all.subarray(base, base + found.length), count)
    list.count += found.length
    return
  }
  for (let p = 0; p < found.length; p++) {
    const t = found[p] as number
    if (!lookup.isOpen && !canServe(frame, lookup, i, t)) continue
    task[count] = t
    utility[count++] = all[base + t] as number
  }
  list.count = count
}

/**
 * Adds row i's known edges and what was found, in order; returns how many of these earn and are
 * new.
 */
function merge(
  frame: Frame,
  lookup: Lookup,
  options: Options,
  known: Edges,
  i: number,
  found: Int32Array,
  list: List,
): number {
  const { utility: all } = frame.programme
  const base = i * frame.tasks
  const zero = 1e-12 * frame.money
  const end = known.start[i + 1] as number
  let at = known.start[i] as number
  let missing = 0
  const add = (t: number) => {
    list.task[list.count] = t
    list.utility[list.count++] = all[base + t] as number
  }
  for (let p = 0; p < found.length; p++) {
    const t = found[p] as number
    while (at < end && (known.task[at] as number) < t) add(known.task[at++] as number)
    const isKnown = at < end && known.task[at] === t
    if (isKnown) at++
    else if (!canServe(frame, lookup, i, t)) continue
    else if (netOf(frame, options, i, t) > zero) missing++
    add(t)
  }
  while (at < end) add(known.task[at++] as number)
  return missing
}

/** What a unit of pair (i, t) earns after all prices. */
function netOf(
  frame: Frame,
  { y, lambda }: Pick<Options, 'y' | 'lambda'>,
  i: number,
  t: number,
): number {
  const { operators: n, tasks: m, resources, programme } = frame
  let net = (programme.utility[i * m + t] as number) - columnPrice(frame, y, i, t)
  for (let k = 0; k < resources.length; k++)
    net -= useOf(resources[k] as Resource, i, t, m) * (lambda[k * n + i] as number)
  return net
}

/** Whether an operator may do any of a task. */
function canServe(frame: Frame, lookup: Lookup, i: number, t: number): boolean {
  const { cap, isCapPair, isOpen } = lookup
  if (isOpen) return true
  const { tasks: m, programme, resources, operators: n, capacity } = frame
  if ((cap[isCapPair ? i * m + t : t] as number) <= 0) return false
  if ((programme.demand[t] as number) <= 0) return false
  for (let k = 0; k < resources.length; k++)
    if ((capacity[k * n + i] as number) <= 0 && useOf(resources[k] as Resource, i, t, m) > 0)
      return false
  return true
}
