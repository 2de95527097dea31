import { createProgramme } from './check-programme.ts'
import type { PoolGame } from './nash.ts'
import { toDense } from './programme.ts'
import { solve } from './solver/solve.ts'

/**
 * What the allocation programme makes of the same operators: the most welfare that there can be.
 *
 * @returns undefined where the solver stalls.
 */
export function poolOptimum(
  game: PoolGame,
): { readonly welfare: number; readonly work: Float64Array } | undefined {
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
  if (solution.status !== 'optimal') return undefined
  return { welfare: solution.objective, work: toDense(solution.allocation, tasks) }
}
