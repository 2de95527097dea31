import { extraPrice, pairOf, primalValue, useOf } from './evaluate.ts'
import { type Prices, type Programme, type Resource, toDense } from './programme.ts'
import type { Found } from './solution.ts'

/** An allocation with its multipliers, optimal or not. */
export type Candidate = Pick<Found, 'allocation' | 'shortfall' | 'prices'>

/** How far a candidate is from each condition of Karush, Kuhn and Tucker; zero at the optimum. */
export type KktResiduals = {
  /**
   * Largest gain a unit that a pair could still make by moving, relative to the largest |u|; of a
   * pair close to its bound at most the distance to it, relative to demand.
   */
  readonly stationarity: number
  /** Largest relative excess over a limit. */
  readonly primal: number
  /** Largest multiplier of a wrong sign, relative to the largest |u|. */
  readonly dual: number
  /** Σ multiplier × unused limit, relative to the turnover Σ |u| x. */
  readonly complementarity: number
}

/**
 * The Lagrangian L = U − Σλ(L − R) − Σμ(Σx + s − d) + Σσ Σ(stake − Θ)x − Σν(Σx − γd), where
 * U = Σ(u x − ½q x²) − ½Σκ L² − ΣP s. At feasible x and multipliers of the right sign it is at
 * least U.
 *
 * @param dense - x, shape [N × M].
 */
export function lagrangian(
  programme: Programme,
  dense: Float64Array,
  shortfall: Float64Array,
  prices: Prices,
): number {
  const { operators: n, tasks: m, resources, demand, shortfallPrice, groups } = programme
  const pair = pairOf(programme)
  let value = 0
  for (let t = 0; t < m; t++) {
    const d = demand[t] as number
    const s = shortfall[t] as number
    value += (prices.demand[t] as number) * (d - s) - (shortfallPrice?.[t] ?? 0) * s
    for (let g = 0; g < (groups?.count ?? 0); g++)
      value += (prices.group[g * m + t] as number) * (groups?.share[t] as number) * d
  }
  for (let i = 0; i < n; i++) {
    const loads = loadsOf(programme, dense, i)
    const kappa = programme.loadCongestion?.[i] ?? 0
    value -= 0.5 * kappa * (loads[0] as number) ** 2
    resources.forEach(({ capacity }, k) => {
      const own = ownPrice(programme, prices, i, k, loads)
      value += own * ((capacity[i] as number) - (loads[k] as number))
    })
    for (let t = 0; t < m; t++) {
      const x = dense[i * m + t] as number
      if (x === 0) continue
      const price = (prices.demand[t] as number) + extraPrice(programme, prices, i, t)
      const u = programme.utility[i * m + t] as number
      value += x * (u - price - 0.5 * pair.congestion(i, t) * x)
    }
  }
  return value
}

/**
 * ∂L/∂x, shape [N × M]: what one more unit of each pair adds. Between its bounds a pair of the
 * optimum has zero, at zero it has at most zero, at its cap at least zero.
 */
export function gradient(programme: Programme, dense: Float64Array, prices: Prices): Float64Array {
  const { operators: n, tasks: m, resources, utility } = programme
  const pair = pairOf(programme)
  const into = new Float64Array(n * m)
  for (let i = 0; i < n; i++) {
    const loads = loadsOf(programme, dense, i)
    const kappa = programme.loadCongestion?.[i] ?? 0
    for (let t = 0; t < m; t++) {
      let net =
        (utility[i * m + t] as number) - pair.congestion(i, t) * (dense[i * m + t] as number)
      for (let k = 0; k < resources.length; k++) {
        const own = ownPrice(programme, prices, i, k, loads)
        const congested = k === 0 ? kappa * (loads[0] as number) : 0
        net -= useOf(resources[k] as Resource, i, t, m) * (own + congested)
      }
      into[i * m + t] = net - (prices.demand[t] as number) - extraPrice(programme, prices, i, t)
    }
  }
  return into
}

/** How far a candidate is from the optimum's conditions. */
export function kktResiduals(programme: Programme, candidate: Candidate): KktResiduals {
  const { tasks: m, utility, demand } = programme
  const { allocation, shortfall, prices } = candidate
  const dense = toDense(allocation, m)
  const slope = gradient(programme, dense, prices)
  const pair = pairOf(programme)
  const unit = utility.reduce((most, u) => Math.max(most, Math.abs(u)), Number.MIN_VALUE)
  let stationarity = 0
  let turnover = Number.MIN_VALUE
  for (let e = 0; e < slope.length; e++) {
    const t = e % m
    const x = dense[e] as number
    const g = slope[e] as number
    const most = Math.min(pair.cap(Math.floor(e / m), t), demand[t] as number)
    turnover += Math.abs(utility[e] as number) * x
    const room = Math.max(g > 0 ? most - x : x, 0) / Math.max(demand[t] as number, Number.MIN_VALUE)
    stationarity = Math.max(stationarity, Math.min(Math.abs(g), unit * room))
  }
  return {
    stationarity: stationarity / unit,
    primal: primalValue(programme, allocation, shortfall).violation,
    dual: wrongSigns(programme, prices) / unit,
    complementarity: unusedWorth(programme, dense, candidate) / turnover,
  }
}

function wrongSigns({ shortfallPrice }: Programme, prices: Prices): number {
  const below = (values: Float64Array) => values.reduce((most, v) => Math.max(most, -v), 0)
  const beyond = prices.demand.map((mu, t) => mu + (shortfallPrice?.[t] ?? Infinity))
  return Math.max(
    below(prices.capacity),
    below(prices.security),
    below(prices.group),
    below(beyond),
  )
}

function unusedWorth(
  programme: Programme,
  dense: Float64Array,
  { prices, shortfall }: Candidate,
): number {
  const { operators: n, tasks: m, resources, shortfallPrice, security, groups, demand } = programme
  let worth = 0
  for (let i = 0; i < n; i++) {
    const loads = loadsOf(programme, dense, i)
    resources.forEach(({ capacity }, k) => {
      const own = ownPrice(programme, prices, i, k, loads)
      worth += Math.abs(own * ((capacity[i] as number) - (loads[k] as number)))
    })
  }
  for (let t = 0; t < m; t++) {
    const paid = (prices.demand[t] as number) + (shortfallPrice?.[t] ?? 0)
    if (shortfallPrice) worth += Math.abs(paid * (shortfall[t] as number))
    let beyond = 0
    const loads = new Float64Array(groups?.count ?? 0)
    for (let i = 0; i < n; i++) {
      const x = dense[i * m + t] as number
      if (security) beyond += ((security.stake[i] as number) - (security.floor[t] as number)) * x
      const group = groups ? (groups.of[i] as number) : -1
      if (group >= 0) loads[group] = (loads[group] as number) + x
    }
    worth += Math.abs((prices.security[t] as number) * beyond)
    loads.forEach((load, g) => {
      const room = (groups?.share[t] as number) * (demand[t] as number) - load
      worth += Math.abs((prices.group[g * m + t] as number) * room)
    })
  }
  return worth
}

/** Load of operator i on each resource. */
export function loadsOf(
  { resources, tasks: m }: Programme,
  dense: Float64Array,
  i: number,
): number[] {
  return resources.map((resource) => {
    let load = 0
    for (let t = 0; t < m; t++) load += useOf(resource, i, t, m) * (dense[i * m + t] as number)
    return load
  })
}

/** λ without the part that is congestion: the multiplier of the limit itself. */
function ownPrice(
  { loadCongestion, operators: n }: Programme,
  { capacity }: Prices,
  i: number,
  k: number,
  loads: readonly number[],
): number {
  const price = capacity[k * n + i] as number
  const kappa = k === 0 ? (loadCongestion?.[i] ?? 0) : 0
  return kappa > 0 ? Math.max(price - kappa * (loads[0] as number), 0) : price
}
