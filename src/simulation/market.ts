import { type PoolGame, poolEquilibrium, poolOptimum } from '#model'
import { type AllocationProgramme, micro } from '#records'

/** Least weight and cost of the game, which needs them above nothing. */
const least = 0.01

/**
 * Which part of the best allocation's welfare is left where operators choose their work for
 * themselves and share each service's fees by what they did: 1 as good, 0 nothing, negative when
 * the work costs more than it is worth. Undefined where best responses come to no end.
 *
 * @param costs - shape [N × M], what a place costs each operator; the highest fee of a place is 1.
 * @see PoolGame
 */
export function nashOverOptimum(
  programme: AllocationProgramme,
  costs: Float64Array,
): number | undefined {
  const game = poolOf(programme, costs)
  const market = poolEquilibrium(game, { tolerance: 1e-4, maxRounds: 500 })
  const best = poolOptimum(game)
  if (!market.converged || best === undefined || best.welfare <= 0) return undefined
  return market.welfare / best.welfare
}

/**
 * The frozen inputs as a market for places: an operator's weight is what its places are worth but
 * for their cost, and its congestion is what the ledger charges.
 */
function poolOf(programme: AllocationProgramme, costs: Float64Array): PoolGame {
  const { operators, services, jobs, seats, utility, congestion, shortfallPrice } = programme
  const [n, m] = [operators.length, services.length]
  const column = (one: (t: number) => number) => Float64Array.from(services, (_, t) => one(t))
  // The ledger prices a shortfall at four times the value of a place.
  const value = column((t) => (shortfallPrice[t] as number) / (4 * micro))
  const demand = column((t) => (jobs[t] as number) * (seats[t] as number))
  const merit = Float64Array.from(utility, (worth, at) =>
    Math.max(least, (worth / micro + (costs[at] as number)) / (value[at % m] as number)),
  )
  const meanOf = (one: (t: number) => number) => services.reduce((sum, _, t) => sum + one(t), 0) / m
  const crowding = meanOf((t) => (congestion[t] as number) / micro / (jobs[t] as number))
  return {
    operators: n,
    tasks: m,
    pool: demand.map((places, t) => places * (value[t] as number)),
    weight: Float64Array.from(operators, (_, i) => meanOf((t) => merit[i * m + t] as number)),
    cost: costs.map((cost) => Math.max(least, cost)),
    congestion: new Float64Array(n).fill(Math.max(1e-6, crowding)),
    capacity: Float64Array.from(operators, (_, i) =>
      Math.max(least, programme.capacity[i] as number),
    ),
    demand,
    value,
  }
}
