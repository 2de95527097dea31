import { dualValue } from '../evaluate.ts'
import type { Prices, Programme } from '../programme.ts'
import type { Certificate } from '../solution.ts'

/**
 * A proof of infeasibility from the prices of a programme whose shortfall was made expensive.
 *
 * With utility and costs zero, the bound of weak duality at multipliers with μ ≤ 0 is minus the
 * least shortfall, weighted by −μ. Positive excess means that no allocation meets all demand. The
 * multipliers are first rounded to 0 and 1, which names a set; the prices themselves are the second
 * try.
 *
 * @param penalty - price of shortfall at which `prices` were found, shape [M].
 */
export function certify(
  programme: Programme,
  prices: Prices,
  penalty: Float64Array,
): Certificate | undefined {
  const empty = withoutObjective(programme)
  const most = penalty.reduce((a, b) => Math.max(a, b), 0)
  const scaled = scale(prices, 1 / most)
  for (const ray of [...[0.5, 0.1, 0.9].map((cut) => rounded(scaled, cut)), scaled]) {
    const needed = programme.demand.reduce(
      (sum, d, t) => sum - d * Math.min(ray.demand[t] as number, 0),
      0,
    )
    const excess = -dualValue(empty, ray)
    if (excess > 1e-9 * needed) return { ...tightSet(programme, ray), prices: ray, excess }
  }
  return undefined
}

/** The same limits, and nothing to gain or lose. */
function withoutObjective(programme: Programme): Programme {
  const { loadCongestion: _, shortfallPrice: __, ...limits } = programme
  return {
    ...limits,
    utility: new Float64Array(programme.utility.length),
    congestion: new Float64Array(programme.congestion.length),
  }
}

function scale({ capacity, demand, security, group }: Prices, by: number): Prices {
  const times = (values: Float64Array) => values.map((value) => value * by)
  return {
    capacity: times(capacity),
    demand: times(demand).map((value) => Math.min(value, 0)),
    security: times(security),
    group: times(group),
  }
}

/** Multipliers of 0 and 1; those of other constraints are in other units and stay as they are. */
function rounded(prices: Prices, cut: number): Prices {
  return {
    ...prices,
    capacity: prices.capacity.map((value) => (value >= cut ? 1 : 0)),
    demand: prices.demand.map((value) => (-value >= cut ? -1 : 0)),
    group: prices.group.map((value) => (value >= cut ? 1 : 0)),
  }
}

function tightSet(
  { operators: n }: Programme,
  { demand, capacity }: Prices,
): Pick<Certificate, 'tasks' | 'limits'> {
  const positions = (values: Float64Array, counts: (value: number) => boolean): number[] =>
    [...values.keys()].filter((at) => counts(values[at] as number))
  return {
    tasks: positions(demand, (value) => value < -1e-6),
    limits: positions(capacity, (value) => value > 1e-6).map((at) => ({
      operator: at % n,
      resource: Math.floor(at / n),
    })),
  }
}
