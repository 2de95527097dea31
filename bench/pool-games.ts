import type { PoolGame } from '#model'
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
