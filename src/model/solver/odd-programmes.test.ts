import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgramme, dualValue, type Infeasible, type ProgrammeParts, solve } from '#model'
import { verdictOf } from '../../../bench/allocation-check.ts'
import { instance, rich, toProgramme } from '../../../bench/allocation-instances.ts'
import { random as seeded } from '../../../test/support/random.ts'

test('solve: 1,500 small programmes with zeros, ties and limits of every kind', () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const parts = oddProgramme(seed)
    const solution = solve(createProgramme(parts))
    if (solution.status === 'infeasible') {
      assert(parts.shortfallPrice === undefined && isProof(parts, solution), `seed ${seed}`)
      continue
    }
    assert.equal(solution.status, 'optimal', `seed ${seed}`)
    assert(solution.gap <= 1e-6, `seed ${seed}: gap ${solution.gap}`)
    const { violation } = verdictOf(parts, solution)
    assert(violation <= 1e-6, `seed ${seed}: violation ${violation}`)
  }
})

test('solve: where nobody has any stake, only tasks that ask for none are served', () => {
  const security = { stake: new Float64Array(3), floor: Float64Array.of(0.5, 0) }
  const parts = { ...tiny(3), shortfallPrice: Float64Array.of(9, 9), security }
  const found = solve(createProgramme(parts))
  assert(found.status === 'optimal')
  assert.deepEqual([...found.shortfall], [1, 0])
  assert(verdictOf(parts, found).gap <= 1e-6)
})

test('solve: an operator without capacity is priced out of every task', () => {
  const parts = {
    ...tiny(2),
    resources: [{ name: 'capacity', capacity: Float64Array.of(0, 1) }],
    shortfallPrice: Float64Array.of(3, 3),
  }
  const found = solve(createProgramme(parts))
  assert(found.status === 'optimal')
  assert((found.prices.capacity[0] as number) >= 4, 'more than utility and shortfall together')
  assert(verdictOf(parts, found).gap <= 1e-6)
})

test('solve: gives up as stalled once it has visited too many pairs', () => {
  for (const programme of [
    toProgramme(instance('near-linear', 60, 60, 1)),
    createProgramme(rich(30, 30, 1)),
  ]) {
    const stalled = solve(programme, { maxVisits: 20_000 })
    assert(stalled.status === 'stalled')
    assert(stalled.effort.visits < 1_000_000, `${stalled.effort.visits}`)
    assert(stalled.gap > 1e-6 || stalled.violation > 1e-6, 'it says how far off it is')
  }
})

/** Operators that are all worth 1, of two tasks with a demand of 1 each. */
const tiny = (operators: number): ProgrammeParts => ({
  operators,
  tasks: 2,
  utility: new Float64Array(2 * operators).fill(1),
  congestion: new Float64Array(operators).fill(1),
  resources: [{ name: 'capacity', capacity: new Float64Array(operators).fill(1) }],
  demand: Float64Array.of(1, 1),
  cap: Float64Array.of(1, 1),
})

/** Weak duality without utilities: the multipliers leave no room for all demand. */
function isProof(parts: ProgrammeParts, { certificate }: Infeasible): boolean {
  const { loadCongestion: _, ...limits } = parts
  const empty = createProgramme({
    ...limits,
    utility: new Float64Array(parts.utility.length),
    congestion: new Float64Array(parts.congestion.length),
  })
  return certificate.excess > 0 && dualValue(empty, certificate.prices) < 0
}

/** A programme whose numbers are constant, even, often zero, or few different ones. */
function oddProgramme(seed: number): ProgrammeParts {
  const random = seeded(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const n = 1 + below(below(4) ? 8 : 30)
  const m = 1 + below(below(4) ? 6 : 20)
  const kinds = [
    () => 1,
    random,
    () => (below(3) ? random() : 0),
    () => 1 + below(3),
    () => 0.5 + random(),
  ]
  const numbers = (length: number) => {
    const kind = kinds[below(kinds.length)] as () => number
    return Float64Array.from({ length }, kind)
  }
  const pairsOr = (length: number) => numbers(below(2) ? length : n * m)
  const demand = numbers(m)
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0)
  const resource = (_: unknown, k: number) => {
    const capacity = numbers(n)
    const factor = ((0.8 + random()) * sum(demand)) / (sum(capacity) || 1)
    return {
      name: `resource ${k}`,
      capacity: below(2) ? capacity.map((room) => room * factor) : capacity,
      ...(below(2) && { use: pairsOr(m) }),
    }
  }
  return {
    operators: n,
    tasks: m,
    utility: numbers(n * m).map((u) => u - (below(4) ? 0 : random())),
    congestion: below(6) ? pairsOr(n) : new Float64Array(n),
    resources: Array.from({ length: below(3) ? 1 : 1 + below(3) }, resource),
    demand,
    cap: below(4) ? pairsOr(m) : new Float64Array(m).fill(Infinity),
    ...(below(3) && { shortfallPrice: numbers(m) }),
    ...(!below(3) && { loadCongestion: numbers(n) }),
    ...(below(2) && { security: { stake: numbers(n), floor: numbers(m).map((v) => v / 2) } }),
    ...(!below(3) && {
      groups: {
        count: 2,
        of: Int32Array.from({ length: n }, () => below(3) - 1),
        share: numbers(m).map((v) => Math.min(v, 1)),
      },
    }),
  }
}
