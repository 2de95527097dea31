import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createProgramme,
  type Found,
  type Programme,
  solve,
  stepLimit,
  study,
  toDense,
} from '#model'
import { baseDraft, instance, rich, toProgramme } from '../../../bench/allocation-instances.ts'

function solved(programme: Programme): Found {
  const solution = solve(programme)
  assert(solution.status === 'optimal')
  return solution
}

const programme = toProgramme(instance('base', 30, 20, 1))
const optimum = solved(programme)
const { step: limit } = stepLimit(programme)

const distance = (a: Float64Array, b: Float64Array) =>
  a.reduce((most, x, e) => Math.max(most, Math.abs(x - (b[e] as number))), 0)

/** The paper's rule at the optimum's prices, with a rate in parts of 1/h_max. */
const atRate = (part: number, iterations = 20_000) =>
  study(programme, {
    method: 'gradient',
    rate: (part * limit) / 2,
    prices: optimum.prices,
    iterations,
    change: 1e-8,
    every: 1000,
  })

test('gradient rule: below 2/h_max it settles in the optimum, fastest in the middle', () => {
  const best = toDense(optimum.allocation, 20)
  const counts = [0.05, 0.5, 1, 1.9, 1.99].map((part) => {
    const run = atRate(part)
    assert(run.settled, `${part}`)
    assert(distance(toDense(run.found.allocation, 20), best) < 1e-4, `${part}`)
    return run.iterations
  })
  const [slowest, slow, good, fast, fastest] = counts as [number, number, number, number, number]
  assert(slowest > 5 * slow, 'a small rate crawls')
  assert(good < slow)
  assert(fast > good && fastest > 3 * fast, 'towards the limit it takes ever longer')
})

test('gradient rule: from 2/h_max on it oscillates and never settles', () => {
  for (const part of [2, 2.05, 3]) {
    const run = atRate(part, 5_000)
    assert(!run.settled, `${part}`)
    assert.equal(run.iterations, 5_000)
    assert((run.trace.at(-1)?.change ?? 0) > 1e-6)
    assert.equal(run.found.status, 'stalled')
  }
})

test('gradient rule: |Δx| < ε alone calls a tiny rate converged at once', () => {
  const run = atRate(1e-9)
  assert(run.settled)
  assert.equal(run.iterations, 1)
  assert.equal(run.found.status, 'stalled')
})

test('gradient rule: an allocation that was disturbed returns to equilibrium', () => {
  const best = toDense(optimum.allocation, 20)
  const disturbed = best.map((x, e) => (e % 3 === 0 ? 0 : x * (1 + 0.3 * Math.sin(e))))
  const run = study(programme, {
    method: 'gradient',
    prices: optimum.prices,
    start: disturbed,
    change: 1e-10,
  })
  assert(run.settled)
  assert(distance(toDense(run.found.allocation, 20), best) < 1e-6)
})

test('primal-dual and pdhg: find the optimum without being given prices', () => {
  for (const method of ['primal-dual', 'pdhg'] as const) {
    const run = study(programme, {
      method,
      iterations: 60_000,
      change: 0,
      every: 200,
      tolerance: 1e-5,
    })
    assert.equal(run.found.status, 'optimal', method)
    const error = Math.abs(run.found.objective - optimum.objective)
    assert(error <= 2e-5 * Math.abs(optimum.objective), method)
  }
})

test('pdhg: converges where the objective is linear and primal-dual steps do not', () => {
  const draft = baseDraft(6, 4, 2)
  draft.congestion.fill(0)
  const linear = toProgramme(draft)
  const exact = solved(linear)
  const run = study(linear, {
    method: 'pdhg',
    iterations: 100_000,
    change: 0,
    every: 500,
    tolerance: 1e-5,
  })
  assert.equal(run.found.status, 'optimal')
  assert(Math.abs(run.found.objective - exact.objective) <= 2e-5 * exact.objective)
  const unstable = study(linear, {
    method: 'primal-dual',
    iterations: 20_000,
    change: 0,
    every: 500,
    tolerance: 1e-5,
  })
  assert.equal(unstable.found.status, 'stalled')
})

test('study: handles every constraint', () => {
  const parts = rich(8, 6, 3)
  const whole = createProgramme(parts)
  const exact = solved(whole)
  const run = study(whole, {
    method: 'pdhg',
    iterations: 60_000,
    change: 0,
    every: 500,
    tolerance: 1e-4,
  })
  assert.equal(run.found.status, 'optimal')
  assert(Math.abs(run.found.objective - exact.objective) <= 2e-4 * Math.abs(exact.objective))
})
