import { layoutOf, type Programme, type Resource } from '../programme.ts'

/**
 * A programme as the solver sees it: one vector of column prices (μ, then σ, then ν group by
 * group), each with a lower bound, and a positive shortfall price for every task.
 */
export type Frame = {
  readonly programme: Programme
  readonly operators: number
  readonly tasks: number
  readonly resources: readonly Resource[]
  /** R, shape [K × N]. */
  readonly capacity: Float64Array
  /** κ, shape [N]. */
  readonly kappa: Float64Array
  /** Whether only demand has a price, and every unit of work takes one of the only resource. */
  readonly isPlain: boolean
  /** How many column prices there are. */
  readonly columns: number
  /** Least value of each column price: −P, then zeros. */
  readonly lower: Float64Array
  /** Right-hand side of each column constraint: d, 0, γd. */
  readonly limit: Float64Array
  /** What a residual of each column constraint is measured against; > 0. */
  readonly weight: Float64Array
  /** How far a column price moves where a price of work moves by one. */
  readonly span: Float64Array
  /** Stake over the largest stake, or undefined without a security constraint. */
  readonly stake: Float64Array | undefined
  /** Θ over the largest stake, shape [M]. */
  readonly floor: Float64Array
  /** Where σ starts among the column prices. */
  readonly securityAt: number
  /** Group of each operator, or undefined without groups. */
  readonly groupOf: Int32Array | undefined
  /** Where ν starts among the column prices. */
  readonly groupAt: number
  /** Largest stake, > 0: σ of the programme = σ of the frame ÷ it. */
  readonly stakeUnit: number
  /** A typical price, money a unit; > 0. */
  readonly money: number
}

/** @param shortfallPrice - P, shape [M]: the programme's, or one that stands for "must be met". */
export function createFrame(
  programme: Programme,
  shortfallPrice: Float64Array,
  money: number,
): Frame {
  const { operators: n, tasks: m, demand, security, groups, resources } = programme
  const securityAt = m
  const groupAt = m * (security ? 2 : 1)
  const columns = groupAt + m * (groups?.count ?? 0)
  const lower = new Float64Array(columns)
  const limit = new Float64Array(columns)
  const weight = new Float64Array(columns)
  const least = Math.max(...[meanOf(demand) * 1e-6, Number.MIN_VALUE])
  for (let c = 0; c < columns; c++) {
    const t = c % m
    const d = demand[t] as number
    weight[c] = Math.max(d, least)
    if (c < m) {
      lower[c] = -(shortfallPrice[t] as number)
      limit[c] = d
    } else if (c >= groupAt) limit[c] = d * ((groups?.share[t] as number) ?? 1)
  }
  const span = new Float64Array(columns).fill(1)
  // Where nobody has a stake, the floors give the unit.
  const stakeUnit = (security && (maxOf(security.stake) || maxOf(security.floor))) || 1
  if (security)
    span.set(
      security.floor.map((floor) => stakeUnit / nearest(security.stake, floor)),
      m,
    )
  return {
    programme,
    operators: n,
    tasks: m,
    resources,
    capacity: joined(resources, n),
    kappa: programme.loadCongestion ?? new Float64Array(n),
    isPlain: columns === m && resources.length === 1 && !resources[0]?.use,
    columns,
    lower,
    limit,
    weight,
    span,
    stake: security?.stake.map((value) => value / stakeUnit),
    floor: security?.floor.map((value) => value / stakeUnit) ?? new Float64Array(0),
    securityAt,
    groupOf: groups?.of,
    groupAt,
    stakeUnit,
    money,
  }
}

/** Price of edge (i, t) in the column prices. */
export function columnPrice(frame: Frame, y: Float64Array, i: number, t: number): number {
  const { stake, floor, securityAt, groupOf, groupAt, tasks } = frame
  let price = y[t] as number
  if (stake) price -= (y[securityAt + t] as number) * ((stake[i] as number) - (floor[t] as number))
  if (groupOf && (groupOf[i] as number) >= 0)
    price += y[groupAt + (groupOf[i] as number) * tasks + t] as number
  return price
}

/** Distance to the nearest stake; of those at it, to the next. */
const nearest = (stake: Float64Array, floor: number): number =>
  stake.reduce(
    (least, value) => {
      const away = Math.abs(value - floor)
      return away > 1e-9 * floor ? Math.min(least, away) : least
    },
    Math.max(floor, Number.MIN_VALUE),
  )

/** A typical size of a marginal utility, from at most 64 rows; > 0. */
export function moneyScale({ operators: n, tasks: m, utility }: Programme): number {
  const stride = Math.max(1, Math.floor(n / 64))
  let largest = 0
  for (let i = 0; i < n; i += stride)
    for (let e = i * m; e < (i + 1) * m; e++)
      largest = Math.max(largest, Math.abs(utility[e] as number))
  return largest > 0 ? largest : 1
}

/** A pair's congestion, cap and uses, wherever they are kept. */
export type Lookup = {
  readonly congestion: Float64Array
  readonly isCongestionPair: boolean
  readonly cap: Float64Array
  readonly isCapPair: boolean
  /** Whether every operator may do something of every task: none is without demand or room. */
  readonly isOpen: boolean
}

/** How the pairs of a programme are looked up. */
export const lookupOf = (programme: Programme): Lookup => ({
  congestion: programme.congestion,
  isCongestionPair: layoutOf(programme, programme.congestion, 'row') === 'pair',
  cap: programme.cap,
  isCapPair: layoutOf(programme, programme.cap, 'column') === 'pair',
  isOpen: isOpen(programme),
})

function isOpen({ cap, demand, resources }: Programme): boolean {
  const isPositive = (values: Float64Array) => values.every((value) => value > 0)
  return [cap, demand, ...resources.map(({ capacity }) => capacity)].every(isPositive)
}

function joined(resources: readonly Resource[], n: number): Float64Array {
  const all = new Float64Array(resources.length * n)
  resources.forEach(({ capacity }, k) => {
    all.set(capacity, k * n)
  })
  return all
}

/** The largest entry, 0 for none. */
export const maxOf = (values: Float64Array): number => values.reduce((a, b) => Math.max(a, b), 0)

/** The mean, 0 for none. */
export const meanOf = (values: Float64Array): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length
