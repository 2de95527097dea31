import { createProgramme, type PoolGame, solve, toDense } from '#model'
import { random as seeded } from '../test/support/random.ts'

/** Pooled fees as large as the value of all work, capacities twice the demand. */
export function poolGame(
  operators: number,
  tasks: number,
  congestion: number,
  seed: number,
): PoolGame {
  const random = seeded(seed)
  const fill = (length: number, low: number, high: number) =>
    new Float64Array(length).map(() => low + (high - low) * random())
  const demand = fill(tasks, 5, 15)
  const value = fill(tasks, 1, 2)
  return {
    operators,
    tasks,
    demand,
    value,
    pool: demand.map((d, t) => d * (value[t] as number)),
    weight: fill(operators, 0.5, 1),
    cost: fill(operators * tasks, 0.1, 0.3),
    congestion: new Float64Array(operators).fill(congestion),
    capacity: new Float64Array(operators).fill((2 * demand.reduce((a, b) => a + b, 0)) / operators),
  }
}

/** What the allocation programme makes of the same operators. */
export function poolOptimum(game: PoolGame): {
  readonly welfare: number
  readonly work: Float64Array
} {
  const { operators, tasks, value, weight, cost } = game
  const utility = cost.map(
    (c, e) => (value[e % tasks] as number) * (weight[Math.floor(e / tasks)] as number) - c,
  )
  const solution = solve(
    createProgramme({
      operators,
      tasks,
      utility,
      congestion: game.congestion,
      resources: [{ name: 'capacity', capacity: game.capacity }],
      demand: game.demand,
      shortfallPrice: new Float64Array(tasks),
      cap: game.demand,
    }),
  )
  if (solution.status !== 'optimal') throw new Error(`our solver says ${solution.status}`)
  return { welfare: solution.objective, work: toDense(solution.allocation, tasks) }
}
