import type { Frame } from './frame.ts'
import { attach, createTree, cutAndHang, type Network, potentialsBelow } from './network-tree.ts'
import type { Point } from './point.ts'
import { charge, isSpent, type Work } from './work.ts'

/**
 * Solves a linear programme with one resource, of which every unit of work takes one, exactly: a
 * flow from operators to tasks, by the network simplex method. Unused capacity flows to a root,
 * shortfall flows out of it.
 *
 * @returns undefined when rounding errors or the limit of work keep it from ending.
 * @see Cunningham (1976), A network simplex method: leaving arcs are chosen so that trees stay
 * strongly feasible, which keeps the method from cycling.
 */
export function solveNetwork(
  frame: Frame,
  from: Omit<Point, 'units'>,
  work: Work,
): Point | undefined {
  const network = createNetwork(frame, from)
  const { rows, columns, potential, flow } = network
  const most = 60 * (rows + columns) + 1000
  let pivots = 0
  for (let arc = entering(network, work); arc >= 0; arc = entering(network, work)) {
    if (++pivots > most || isSpent(work)) return undefined
    charge(work, rows + columns) // what the tree may have to turn
    pivot(network, arc)
  }
  const y = Float64Array.from({ length: columns }, (_, t) => -(potential[rows + t] as number))
  for (let t = 0; t < columns; t++) y[t] = Math.max(y[t] as number, frame.lower[t] as number)
  const lambda = potential.slice(0, rows).map((price) => Math.max(price, 0))
  return { y, lambda, edges: from.edges, units: flow.slice(0, from.edges.count) }
}

/** Whether a programme is such a flow. */
export function isNetwork({ programme, columns, tasks }: Frame): boolean {
  const { resources, loadCongestion, congestion } = programme
  const hasLoad = loadCongestion?.some((kappa) => kappa > 0) ?? false
  const isLinear = !hasLoad && congestion.every((q) => q === 0)
  return isLinear && columns === tasks && resources.length === 1 && !resources[0]?.use
}

function createNetwork(frame: Frame, { edges }: Omit<Point, 'units'>): Network {
  const { operators: n, tasks: m, capacity, limit, lower } = frame
  const count = edges.count
  const arcs = count + n + m
  const network: Network = {
    rows: n,
    columns: m,
    edges: count,
    tail: new Int32Array(arcs),
    head: new Int32Array(arcs),
    cost: new Float64Array(arcs),
    most: new Float64Array(arcs).fill(Infinity),
    flow: new Float64Array(arcs),
    state: new Int8Array(arcs).fill(1),
    zero: 1e-11 * frame.money,
    cursor: { at: 0 },
    potential: new Float64Array(n + m + 1),
    ...createTree(n + m + 1),
  }
  const { tail, head, cost, most, flow } = network
  const root = n + m
  for (let i = 0; i < n; i++) {
    for (let e = edges.start[i] as number; e < (edges.start[i + 1] as number); e++) {
      tail[e] = i
      head[e] = n + (edges.task[e] as number)
      cost[e] = -(edges.utility[e] as number)
      most[e] = edges.cap[e] as number
    }
    const spare = count + i
    tail[spare] = i
    head[spare] = root
    flow[spare] = capacity[i] as number
    attach(network, i, root, spare)
  }
  for (let t = 0; t < m; t++) {
    const short = count + n + t
    tail[short] = root
    head[short] = n + t
    cost[short] = -(lower[t] as number)
    flow[short] = limit[t] as number
    attach(network, n + t, root, short)
  }
  for (let arc = count; arc < arcs; arc++) network.state[arc] = 0
  potentialsBelow(network, root)
  return network
}

/** The arc that earns most in the next block in which any earns something; −1 at the optimum. */
function entering(network: Network, work: Work): number {
  const { tail, head, cost, state, potential, cursor, zero } = network
  const arcs = tail.length
  const block = Math.max(64, Math.ceil(Math.sqrt(arcs)))
  let best = -zero
  let found = -1
  for (let seen = 0, inBlock = 0; seen < arcs; seen++) {
    const arc = cursor.at
    cursor.at = arc + 1 === arcs ? 0 : arc + 1
    const reduced =
      (cost[arc] as number) +
      (potential[tail[arc] as number] as number) -
      (potential[head[arc] as number] as number)
    const gain = (state[arc] as number) * reduced
    if (gain < best) {
      best = gain
      found = arc
    }
    if (++inBlock < block) continue
    work.effort.visits += inBlock
    if (found >= 0) return found
    inBlock = 0
  }
  return found
}

/** Sends as much as fits around the cycle that the arc closes, and exchanges it for what blocks. */
function pivot(network: Network, arc: number): void {
  const { tail, head, state, flow, most, parent, depth, via } = network
  const isUp = state[arc] === 1 // from its lower bound
  const first = (isUp ? tail[arc] : head[arc]) as number
  const second = (isUp ? head[arc] : tail[arc]) as number
  let room = (most[arc] as number) - 0
  let leaving = arc
  let cut = -1
  let isCutFirst = false
  let [a, b] = [first, second]
  // Flow runs from `second` up to the join and down to `first`: of equals, the last one leaves.
  while (a !== b) {
    if ((depth[a] as number) >= (depth[b] as number)) {
      const left = roomOf(network, via[a] as number, a, false)
      if (left < room) [room, leaving, cut, isCutFirst] = [left, via[a] as number, a, true]
      a = parent[a] as number
    } else {
      const left = roomOf(network, via[b] as number, b, true)
      if (left <= room) [room, leaving, cut, isCutFirst] = [left, via[b] as number, b, false]
      b = parent[b] as number
    }
  }
  if (room > 0) {
    flow[arc] = (flow[arc] as number) + (isUp ? room : -room)
    for (let v = first; v !== a; v = parent[v] as number) send(network, v, -room)
    for (let v = second; v !== a; v = parent[v] as number) send(network, v, room)
  }
  if (leaving === arc) {
    state[arc] = isUp ? -1 : 1
    flow[arc] = isUp ? (most[arc] as number) : 0
    return
  }
  const isEmpty = (flow[leaving] as number) < 0.5 * (most[leaving] as number)
  const atUpper = (most[leaving] as number) < Infinity && !isEmpty
  flow[leaving] = atUpper ? (most[leaving] as number) : 0
  state[leaving] = atUpper ? -1 : 1
  state[arc] = 0
  const [inside, outside] = isCutFirst ? [first, second] : [second, first]
  cutAndHang(network, cut, inside, outside, arc)
}

/** How much more can flow along the arc above `node`, up from it or down to it. */
function roomOf({ tail, flow, most }: Network, arc: number, node: number, isUp: boolean): number {
  const isForward = (tail[arc] === node) === isUp
  return isForward ? (most[arc] as number) - (flow[arc] as number) : (flow[arc] as number)
}

/** Adds flow up from a node along the arc above it. */
function send({ tail, flow, via }: Network, node: number, up: number): void {
  const arc = via[node] as number
  flow[arc] = Math.max((flow[arc] as number) + (tail[arc] === node ? up : -up), 0)
}
