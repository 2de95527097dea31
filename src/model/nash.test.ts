import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createProgramme,
  poolEquilibrium,
  poolOptimum,
  priceOfAnarchy,
  solve,
  toDense,
} from '#model'
import { poolGame } from '../../bench/pool-games.ts'
import { random as seeded } from '../../test/support/random.ts'

test('poolEquilibrium: best responses settle, and nobody gains by changing its work alone', () => {
  const pool = poolGame(12, 4, 0.05, 1)
  const { work, converged } = poolEquilibrium(pool)
  assert(converged)
  const payOf = (x: Float64Array, i: number) => {
    let pay = 0
    for (let t = 0; t < 4; t++) {
      let all = 1e-6 * (pool.demand[t] as number)
      for (let j = 0; j < 12; j++) all += (pool.weight[j] as number) * (x[j * 4 + t] as number)
      const own = x[i * 4 + t] as number
      pay += ((pool.pool[t] as number) * (pool.weight[i] as number) * own) / all
      pay -= own * ((pool.cost[i * 4 + t] as number) + 0.025 * own)
    }
    return pay
  }
  const random = seeded(5)
  for (let i = 0; i < 12; i++)
    for (let k = 0; k < 20; k++) {
      const moved = work.map((x, e) =>
        Math.floor(e / 4) === i ? Math.max(0, x + 0.2 * (random() - 0.5)) : x,
      )
      let load = 0
      for (let t = 0; t < 4; t++) load += moved[i * 4 + t] as number
      if (load <= (pool.capacity[i] as number)) assert(payOf(moved, i) <= payOf(work, i) + 1e-9)
    }
})

test('priceOfAnarchy: the programme is never worse than the equilibrium of pooled fees', () => {
  for (const seed of [1, 2, 3])
    for (const congestion of [0.01, 0.05, 0.2]) {
      const pool = poolGame(20, 5, congestion, seed)
      const equilibrium = poolEquilibrium(pool)
      assert(equilibrium.converged)
      const best = poolOptimum(pool) ?? assert.fail('stalled')
      const ratio = priceOfAnarchy(best.welfare, equilibrium.welfare)
      assert(ratio > 1 && ratio < 3, `${ratio}`)
    }
})

test('poolEquilibrium: pooled fees make more work than there is demand for', () => {
  const pool = poolGame(20, 5, 0.01, 4)
  const { work } = poolEquilibrium(pool)
  const done = work.reduce((a, b) => a + b, 0)
  const due = pool.demand.reduce((a, b) => a + b, 0)
  assert(done > 1.2 * due)
})

test('prices: at the optimum’s prices, each operator’s own best choice is the optimum', () => {
  const pool = poolGame(10, 3, 0.05, 6)
  const { operators, tasks } = pool
  const solution = solve(
    createProgramme({
      operators,
      tasks,
      utility: pool.cost.map((c) => 1 - c),
      congestion: pool.congestion,
      resources: [{ name: 'capacity', capacity: pool.capacity }],
      demand: pool.demand,
      cap: pool.demand,
    }),
  )
  assert(solution.status === 'optimal')
  const chosen = toDense(solution.allocation, tasks)
  for (let i = 0; i < operators; i++)
    for (let t = 0; t < tasks; t++) {
      const e = i * tasks + t
      const net =
        1 -
        (pool.cost[e] as number) -
        (solution.prices.demand[t] as number) -
        (solution.prices.capacity[i] as number)
      const own = Math.min(Math.max(net / 0.05, 0), pool.demand[t] as number)
      assert(Math.abs(own - (chosen[e] as number)) < 1e-6)
    }
})
