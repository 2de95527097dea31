import { eachEarning } from './earning.ts'
import {
  type Allocation,
  layoutOf,
  type Prices,
  type Programme,
  type Resource,
} from './programme.ts'

/** What an allocation earns and which constraints it breaks. */
export type PrimalValue = {
  /** Objective, money an epoch, with `shortfall` paid for where there is a price. */
  readonly objective: number
  /** Largest excess over any limit, each relative to its limit (or to the mean demand). */
  readonly violation: number
}

/**
 * Objective and violation of an allocation, from the programme alone.
 *
 * @param shortfall - s, shape [M]; counted as unmet demand where it has no price.
 */
export function primalValue(
  programme: Programme,
  allocation: Allocation,
  shortfall: Float64Array,
): PrimalValue {
  const pair = pairOf(programme)
  let objective = -shortfallCost(programme, shortfall)
  for (let i = 0; i < programme.operators; i++) objective += worth(programme, pair, allocation, i)
  return { objective, violation: violationOf(programme, allocation, shortfall) }
}

/** What row i of an allocation earns, congestion taken off. */
function worth(
  { tasks: m, utility, congestion, loadCongestion, resources }: Programme,
  { isCongestionPair }: Pair,
  { start, task, units }: Allocation,
  i: number,
): number {
  const [first, end] = [start[i] as number, start[i + 1] as number]
  let value = 0
  for (let e = first; e < end; e++) {
    const x = units[e] as number
    const at = i * m + (task[e] as number)
    const q = congestion[isCongestionPair ? at : i] as number
    value += x * ((utility[at] as number) - 0.5 * q * x)
  }
  const kappa = loadCongestion?.[i] ?? 0
  if (kappa === 0) return value
  let load = 0
  for (let e = first; e < end; e++)
    load += useOf(resources[0] as Resource, i, task[e] as number, m) * (units[e] as number)
  return value - 0.5 * kappa * load * load
}

const shortfallCost = ({ shortfallPrice }: Programme, shortfall: Float64Array): number =>
  shortfallPrice?.reduce((sum, price, t) => sum + price * (shortfall[t] as number), 0) ?? 0

/**
 * Largest excess over any limit, each relative to its limit; utilities play no part.
 *
 * @param shortfall - s, shape [M]; counted as unmet demand where it has no price.
 */
export function violationOf(
  programme: Programme,
  allocation: Allocation,
  shortfall: Float64Array,
): number {
  const { operators: n, tasks: m, resources, demand, shortfallPrice, cap } = programme
  const { start, task, units } = allocation
  const { isCapPair } = pairOf(programme)
  const served = new Float64Array(m)
  let violation = 0
  for (let i = 0; i < n; i++) {
    const [first, end] = [start[i] as number, start[i + 1] as number]
    for (let e = first; e < end; e++) {
      const t = task[e] as number
      const x = units[e] as number
      served[t] = (served[t] as number) + x
      const over = x - (cap[isCapPair ? i * m + t : t] as number)
      if (over > 0) violation = Math.max(violation, relative(over, demand[t] as number))
      if (x < 0) violation = Math.max(violation, relative(-x, demand[t] as number))
    }
    for (let k = 0; k < resources.length; k++) {
      const resource = resources[k] as Resource
      let load = 0
      for (let e = first; e < end; e++) {
        const x = units[e] as number
        load += resource.use ? useOf(resource, i, task[e] as number, m) * x : x
      }
      const room = resource.capacity[i] as number
      violation = Math.max(violation, relative(load - room, room))
    }
  }
  const unit = Math.max(mean(demand), Number.MIN_VALUE)
  for (let t = 0; t < m; t++) {
    const d = demand[t] as number
    const missed = shortfall[t] as number
    const unmet = shortfallPrice ? Math.max(-missed, 0) : Math.abs(missed)
    const open = Math.abs(d - (served[t] as number) - (shortfallPrice ? missed : 0))
    violation = Math.max(violation, relative(Math.max(unmet, open), Math.max(d, 1e-6 * unit)))
  }
  return Math.max(violation, columnViolation(programme, allocation))
}

/**
 * An upper bound of the programme, by weak duality: what the prices would cost, plus what every
 * pair could still earn against them. Signs are not trusted: prices are cut to where they are
 * allowed. Caps are taken as min(x̄, d), which every feasible allocation keeps.
 */
export const dualValue = (programme: Programme, prices: Prices): number =>
  boundOf(programme, prices, () => {})

/**
 * Objective of an allocation and the bound that prices give, from the programme alone. Each row is
 * read once for both: utilities of a large programme are far away.
 */
export function objectiveAndBound(
  programme: Programme,
  allocation: Allocation,
  shortfall: Float64Array,
  prices: Prices,
): { readonly objective: number; readonly bound: number } {
  const pair = pairOf(programme)
  let objective = -shortfallCost(programme, shortfall)
  const bound = boundOf(programme, prices, (i) => {
    objective += worth(programme, pair, allocation, i)
  })
  return { objective, bound }
}

/** @param passing - told of each row that was just read. */
function boundOf(programme: Programme, prices: Prices, passing: (i: number) => void): number {
  const { operators: n, resources, demand, shortfallPrice, loadCongestion } = programme
  const mu = prices.demand.map((price, t) =>
    shortfallPrice ? Math.max(price, -(shortfallPrice[t] as number)) : price,
  )
  const own = prices.capacity.map((price) => Math.max(price, 0))
  let bound = groupCost(programme, prices)
  for (let t = 0; t < mu.length; t++) bound += (mu[t] as number) * (demand[t] as number)
  resources.forEach(({ capacity }, k) => {
    for (let i = 0; i < n; i++) {
      const kappa = k === 0 ? (loadCongestion?.[i] ?? 0) : 0
      bound += roomValue(own[k * n + i] as number, capacity[i] as number, kappa)
    }
  })
  const hasExtras = programme.security || programme.groups
  const isPlain = resources.length === 1 && !resources[0]?.use && !hasExtras
  const pair = pairOf(programme)
  if (isPlain)
    eachEarning(programme.utility, mu, own, (i, found, from, count) => {
      bound += plainRow(programme, pair, i, mu, own, found.subarray(from, from + count))
      passing(i)
    })
  else
    for (let i = 0; i < n; i++) {
      bound += row(programme, pair, i, { ...prices, demand: mu }, own)
      passing(i)
    }
  return bound
}

type Pair = ReturnType<typeof pairOf>

/** What row i still earns with one resource and nothing but demand, by the tasks that do. */
function plainRow(
  { utility, tasks: m, demand, congestion, cap }: Programme,
  { isCongestionPair, isCapPair }: Pair,
  i: number,
  mu: Float64Array,
  own: Float64Array,
  found: Int32Array,
): number {
  const base = i * m
  const price = own[i] as number
  let value = 0
  for (let p = 0; p < found.length; p++) {
    const t = found[p] as number
    const net = (utility[base + t] as number) - (mu[t] as number) - price
    const q = congestion[isCongestionPair ? base + t : i] as number
    value += best(net, q, cap[isCapPair ? base + t : t] as number, demand[t] as number)
  }
  return value
}

function row(
  programme: Programme,
  pair: Pair,
  i: number,
  prices: Prices,
  own: Float64Array,
): number {
  const { operators: n, tasks: m, resources, utility, demand } = programme
  let value = 0
  for (let t = 0; t < m; t++) {
    let net = (utility[i * m + t] as number) - (prices.demand[t] as number)
    for (let k = 0; k < resources.length; k++)
      net -= useOf(resources[k] as Resource, i, t, m) * (own[k * n + i] as number)
    net -= extraPrice(programme, prices, i, t)
    if (net > 0) value += best(net, pair.congestion(i, t), pair.cap(i, t), demand[t] as number)
  }
  return value
}

/** Largest of net·x − ½qx² over 0 ≤ x ≤ min(cap, demand). */
function best(net: number, q: number, cap: number, demand: number): number {
  const most = Math.min(cap, demand)
  const x = net < q * most ? net / q : most
  return x * (net - 0.5 * q * x)
}

/** σ and ν of a pair: security lowers its price by (stake − Θ)σ, a group raises it by ν. */
export function extraPrice(
  { security, groups, tasks: m }: Programme,
  prices: Prices,
  i: number,
  t: number,
): number {
  let price = 0
  if (security) {
    const beyond = (security.stake[i] as number) - (security.floor[t] as number)
    price -= beyond * Math.max(prices.security[t] as number, 0)
  }
  const group = groups ? (groups.of[i] as number) : -1
  return group < 0 ? price : price + Math.max(prices.group[group * m + t] as number, 0)
}

function groupCost({ groups, demand, tasks: m }: Programme, { group }: Prices): number {
  if (!groups) return 0
  let cost = 0
  for (let c = 0; c < group.length; c++) {
    const limit = (groups.share[c % m] as number) * (demand[c % m] as number)
    cost += Math.max(group[c] as number, 0) * limit
  }
  return cost
}

/** Largest of λℓ − ½κℓ² over 0 ≤ ℓ ≤ R: what room of that size earns at price λ. */
export function roomValue(price: number, capacity: number, kappa: number): number {
  if (kappa > 0 && price < kappa * capacity) return (0.5 * price * price) / kappa
  return price * capacity - 0.5 * kappa * capacity * capacity
}

/** Congestion and cap of a pair, wherever they are kept. */
export function pairOf(programme: Programme) {
  const { tasks: m, congestion, cap } = programme
  const isCongestionPair = layoutOf(programme, congestion, 'row') === 'pair'
  const isCapPair = layoutOf(programme, cap, 'column') === 'pair'
  return {
    isCongestionPair,
    isCapPair,
    congestion: (i: number, t: number) => congestion[isCongestionPair ? i * m + t : i] as number,
    cap: (i: number, t: number) => cap[isCapPair ? i * m + t : t] as number,
  }
}

/** Units of a resource that one unit of pair (i, t) takes. */
export function useOf({ use }: Resource, i: number, t: number, tasks: number): number {
  if (!use) return 1
  return use[use.length === tasks ? t : i * tasks + t] as number
}

/** Security and group constraints. */
function columnViolation(
  { security, groups, tasks: m, demand }: Programme,
  { start, task, units }: Allocation,
): number {
  if (!security && !groups) return 0
  const lack = new Float64Array(m)
  const load = new Float64Array((groups?.count ?? 0) * m)
  for (let i = 0; i + 1 < start.length; i++)
    for (let e = start[i] as number; e < (start[i + 1] as number); e++) {
      const t = task[e] as number
      const x = units[e] as number
      if (security) {
        const beyond = (security.stake[i] as number) - (security.floor[t] as number)
        lack[t] = (lack[t] as number) - beyond * x
      }
      const group = groups ? (groups.of[i] as number) : -1
      if (group >= 0) load[group * m + t] = (load[group * m + t] as number) + x
    }
  let violation = 0
  security?.floor.forEach((floor, t) => {
    violation = Math.max(violation, relative(lack[t] as number, floor * (demand[t] as number)))
  })
  load.forEach((x, c) => {
    const d = demand[c % m] as number
    violation = Math.max(violation, relative(x - (groups?.share[c % m] as number) * d, d))
  })
  return violation
}

const relative = (excess: number, limit: number): number =>
  excess <= 0 ? 0 : excess / Math.max(limit, Number.MIN_VALUE)

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length
