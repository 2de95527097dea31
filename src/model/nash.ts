/**
 * Operators that choose their work for themselves, paid from a pool for each task in proportion to
 * what they did: the market that the allocation programme replaces.
 *
 * Operator i earns Σ_τ F_τ·m_i x_iτ / (Σ_j m_j x_jτ + ε) − Σ_τ (c x + ½ q x²), within its capacity
 * and caps. Its work also takes from the others' pay, which it does not count: an equilibrium is a
 * rent contest and does more work than is worth it.
 */
export type PoolGame = {
  readonly operators: number
  readonly tasks: number
  /** F, shape [M], money an epoch; > 0. */
  readonly pool: Float64Array
  /** m, shape [N]: weight of an operator's work; > 0. */
  readonly weight: Float64Array
  /** c, shape [N × M], money a unit; > 0. */
  readonly cost: Float64Array
  /** q, shape [N], money a unit²; > 0. */
  readonly congestion: Float64Array
  /** R, shape [N], units; > 0. */
  readonly capacity: Float64Array
  /** d, shape [M]: work beyond it is worth nothing; > 0. */
  readonly demand: Float64Array
  /** v, shape [M]: what a weighted unit of work is worth up to demand, money a unit. */
  readonly value: Float64Array
}

/** Where best responses ended. */
export type PoolEquilibrium = {
  /** x, shape [N × M]. */
  readonly work: Float64Array
  /** Value of useful work minus all costs. */
  readonly welfare: number
  readonly rounds: number
  /** Largest change of the last round, relative to the mean demand. */
  readonly change: number
  readonly converged: boolean
}

/** Part of a pool that nobody gets: keeps the pay of a task that nobody does finite. */
const unclaimed = 1e-6

/**
 * Best responses one operator after the other, until none moves.
 *
 * @param tolerance - change of a round, relative to the mean demand, that ends it.
 */
export function poolEquilibrium(
  game: PoolGame,
  { tolerance = 1e-9, maxRounds = 2000 } = {},
): PoolEquilibrium {
  const { operators: n, tasks: m, weight, demand } = game
  const work = new Float64Array(n * m)
  for (let e = 0; e < work.length; e++) work[e] = (demand[e % m] as number) / n
  const total = new Float64Array(m)
  for (let e = 0; e < work.length; e++)
    total[e % m] =
      (total[e % m] as number) + (weight[Math.floor(e / m)] as number) * (work[e] as number)
  const unit = demand.reduce((a, b) => a + b, 0) / m
  let change = Infinity
  let rounds = 0
  while (change > tolerance && rounds < maxRounds) {
    rounds++
    change = 0
    for (let i = 0; i < n; i++) change = Math.max(change, respond(game, work, total, i) / unit)
  }
  return { work, welfare: welfareOf(game, work), rounds, change, converged: change <= tolerance }
}

/** Sets operator i's work to its best response; returns the largest change. */
function respond(game: PoolGame, work: Float64Array, total: Float64Array, i: number): number {
  const { tasks: m, weight, capacity } = game
  const w = weight[i] as number
  const others = total.map((sum, t) => Math.max(sum - w * (work[i * m + t] as number), 0))
  const at = (price: number) => others.map((rest, t) => response(game, i, t, rest, price))
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0)
  const room = capacity[i] as number
  let best = at(0)
  if (sum(best) > room) {
    let [low, high] = [0, 1]
    while (sum(at(high)) > room) high *= 2
    for (let k = 0; k < 100; k++) {
      const middle = 0.5 * (low + high)
      if (sum(at(middle)) > room) low = middle
      else high = middle
    }
    best = at(high)
  }
  let most = 0
  best.forEach((x, t) => {
    most = Math.max(most, Math.abs(x - (work[i * m + t] as number)))
    work[i * m + t] = x
    total[t] = (others[t] as number) + w * x
  })
  return most
}

/** Root x ≥ 0 of F m A/(m x + A)² = c + λ + q x, where A is what the others do. */
function response(game: PoolGame, i: number, t: number, others: number, price: number): number {
  const { pool, weight, cost, congestion, tasks: m, demand } = game
  const w = weight[i] as number
  const rest = others + unclaimed * (demand[t] as number)
  const q = congestion[i] as number
  const c = (cost[i * m + t] as number) + price
  const gain = (x: number) => ((pool[t] as number) * w * rest) / (w * x + rest) ** 2 - c - q * x
  if (gain(0) <= 0) return 0
  let [low, high] = [0, Math.sqrt(((pool[t] as number) * rest) / (w * c)) + 1e-300]
  for (let k = 0; k < 80 && high - low > 1e-15 * high; k++) {
    const middle = 0.5 * (low + high)
    if (gain(middle) > 0) low = middle
    else high = middle
  }
  return 0.5 * (low + high)
}

/** Σ_τ v·min(1, d/X)·Σ m x − Σ (c x + ½ q x²): of work beyond demand only the costs count. */
export function welfareOf(game: PoolGame, work: Float64Array): number {
  const { operators: n, tasks: m, weight, cost, congestion, demand, value } = game
  let welfare = 0
  for (let t = 0; t < m; t++) {
    let done = 0
    let weighted = 0
    for (let i = 0; i < n; i++) {
      const x = work[i * m + t] as number
      done += x
      weighted += (weight[i] as number) * x
      welfare -= x * ((cost[i * m + t] as number) + 0.5 * (congestion[i] as number) * x)
    }
    const useful = done > (demand[t] as number) ? (demand[t] as number) / done : 1
    welfare += (value[t] as number) * useful * weighted
  }
  return welfare
}

/** How many times better the optimum is than the equilibrium; 1 = as good. */
export const priceOfAnarchy = (optimum: number, equilibrium: number): number =>
  optimum / equilibrium
