import { loadsOf } from './kkt.ts'
import { type Programme, toDense } from './programme.ts'
import type { Found } from './solution.ts'

/** A limit that holds the allocation back, and what one more unit of it would add. */
export type Binding =
  | ({ readonly limit: 'capacity'; readonly operator: number; readonly resource: string } & Worth)
  | ({ readonly limit: 'demand' | 'shortfall' | 'security'; readonly task: number } & Worth)
  | ({ readonly limit: 'group'; readonly group: number; readonly task: number } & Worth)

type Worth = {
  /**
   * ∂U*: money for one more unit of the limit. Of `demand` it can be negative: served at a loss.
   */
  readonly worth: number
}

/**
 * What one more unit of each operator's limits adds to the optimum, shape [K × N], money a unit of
 * resource; ≥ 0. Congestion is taken off: λ − κL.
 */
export function capacityWorth(programme: Programme, found: Found): Float64Array {
  const { operators: n, tasks, loadCongestion } = programme
  const { prices, allocation } = found
  if (!loadCongestion) return prices.capacity.slice()
  const dense = toDense(allocation, tasks)
  return prices.capacity.map((price, e) => {
    if (e >= n) return price
    const load = loadsOf(programme, dense, e)[0] as number
    return Math.max(price - (loadCongestion[e] as number) * load, 0)
  })
}

/**
 * The limits that bind, dearest first.
 *
 * @param least - smallest worth that counts, relative to the largest |μ|, λ, σ, ν of its kind.
 */
export function bindings(programme: Programme, found: Found, least = 1e-9): Binding[] {
  const { operators: n, tasks: m, resources, shortfallPrice } = programme
  const { prices, shortfall } = found
  const listed = <T>(values: Float64Array, make: (at: number, worth: number) => T): T[] => {
    const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
    return [...values.keys()]
      .filter((at) => Math.abs(values[at] as number) > least * most)
      .map((at) => make(at, values[at] as number))
  }
  const isMissed = (task: number) =>
    shortfallPrice !== undefined &&
    (shortfall[task] as number) > 1e-9 * (programme.demand[task] as number)
  const all: Binding[] = [
    ...listed(capacityWorth(programme, found), (at, worth) => ({
      limit: 'capacity' as const,
      operator: at % n,
      resource: resources[Math.floor(at / n)]?.name ?? '',
      worth,
    })),
    ...listed(prices.demand, (task, worth) => ({
      limit: isMissed(task) ? ('shortfall' as const) : ('demand' as const),
      task,
      worth,
    })),
    ...listed(prices.security, (task, worth) => ({ limit: 'security' as const, task, worth })),
    ...listed(prices.group, (at, worth) => ({
      limit: 'group' as const,
      group: Math.floor(at / m),
      task: at % m,
      worth,
    })),
  ]
  return all.sort((a, b) => Math.abs(b.worth) - Math.abs(a.worth))
}

/** Names for people; positions are given to each. */
export type Names = {
  readonly operator: (at: number) => string
  readonly task: (at: number) => string
  readonly group: (at: number) => string
}

/** A binding limit in one sentence. */
export function describeBinding(binding: Binding, names: Names): string {
  const worth = Number(Math.abs(binding.worth).toPrecision(4))
  switch (binding.limit) {
    case 'capacity': {
      const who = names.operator(binding.operator)
      return `${who} is full: one more unit of its ${binding.resource} would add ${worth}.`
    }
    case 'demand': {
      const effect = binding.worth < 0 ? 'would cost' : 'would add'
      return `One more unit of ${names.task(binding.task)} to do ${effect} ${worth}.`
    }
    case 'shortfall':
      return `${names.task(binding.task)} is not fully served: one unit less to do would save ${worth}.`
    case 'security':
      return `${names.task(binding.task)} needs the stake of its operators: a unit of stake more behind a unit served would add ${worth}.`
    case 'group': {
      const [group, task] = [names.group(binding.group), names.task(binding.task)]
      return `${group} may do no more of ${task}: one more unit would add ${worth}.`
    }
  }
}
