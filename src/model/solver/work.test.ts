import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgramme, type Programme, type ProgrammeParts, type Solution, solve } from '#model'
import { instance, toProgramme } from '../../../bench/allocation-instances.ts'
import { random as seeded } from '../../../test/support/random.ts'
import { createDual } from './dual.ts'
import { createFrame, lookupOf, moneyScale } from './frame.ts'
import { minimise } from './newton.ts'
import { restrict } from './point.ts'
import { createWork } from './work.ts'

test('solve: programmes whose numbers differ by 10^15 end within their bound of work', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const programme = createProgramme(illScaled(seed))
    for (const maxVisits of [1, 3e4, 3e5])
      assertWithin(programme, maxVisits, `seed ${seed}, ${maxVisits}`)
  }
})

test('solve: every method minds the bound of work', () => {
  const linear = instance('base', 100, 30, 3)
  linear.congestion.fill(0)
  const nearlyLinear = instance('near-linear', 60, 60, 1)
  for (const [name, draft] of Object.entries({ linear, nearlyLinear }))
    for (let maxVisits = 1e4; maxVisits <= 1e7; maxVisits *= 2)
      assertWithin(toProgramme(draft), maxVisits, `${name}, ${maxVisits}`)
})

test('minimise: the bound ends a search for a direction, not only the step after it', () => {
  const draft = instance('slack 2 %', 60, 60, 1)
  draft.congestion = draft.congestion.map((q) => q / 10)
  const programme = toProgramme(draft)
  const frame = createFrame(programme, new Float64Array(60).fill(100), moneyScale(programme))
  const found = solve(programme)
  assert(found.status === 'optimal')
  const { demand, capacity } = found.prices
  const at = { y: demand.map((price, t) => price + 1e-4 * Math.sin(t)), lambda: capacity }
  const context = { frame, lookup: lookupOf(programme), work: createWork(Infinity) }
  const { edges } = restrict(context, at, 1e-3)
  const visitsWithin = (maxVisits: number): number => {
    const work = createWork(maxVisits)
    const dual = createDual(frame, edges, at.lambda.slice(), 0, undefined, work)
    minimise(dual, at.y.slice(), { tolerance: 1e-10, maxSteps: 30, patience: 5 })
    return work.effort.visits
  }
  const aSweep = visitsWithin(1)
  for (let maxVisits = 1; maxVisits < 2e5; maxVisits += 500) {
    const visits = visitsWithin(maxVisits)
    assert(visits <= maxVisits + 2 * aSweep, `${maxVisits}: ${visits}`)
  }
})

/** Nothing but the step that is under way, the way out, and the last check, may come on top. */
function assertWithin(programme: Programme, maxVisits: number, label: string): void {
  const solution = solve(programme, { maxVisits })
  const { visits, newton, conjugate, sweeps, scans } = solution.effort
  const { operators, tasks, resources } = programme
  const onTop = 20 * operators * tasks * resources.length + 1000
  assert(visits <= maxVisits + onTop, `${label}: ${visits}`)
  assert(newton + conjugate + sweeps + scans <= visits / 100, `${label}: steps cost something`)
  assertHonest(solution, label)
}

function assertHonest(solution: Solution, label: string): void {
  if (solution.status === 'infeasible') return
  const isGood = solution.gap <= 1e-6 && solution.violation <= 1e-6
  assert.equal(solution.status, isGood ? 'optimal' : 'stalled', label)
}

/** Few operators and tasks, limits of every kind, numbers as far apart as files may have them. */
function illScaled(seed: number): ProgrammeParts {
  const random = seeded(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const n = 2 + below(15)
  const m = 1 + below(12)
  const numbers = (length: number, least: number, most: number) =>
    Float64Array.from({ length }, () => 10 ** (least + (most - least) * random()))
  const resource = (_: unknown, k: number) => ({
    name: `resource ${k}`,
    capacity: numbers(n, -2, 6),
    ...(below(2) && { use: numbers(n * m, -3, 3) }),
  })
  return {
    operators: n,
    tasks: m,
    utility: numbers(n * m, 0, 15).map((u) => (below(5) ? u : -u)),
    congestion: numbers(below(2) ? n : n * m, -10, 5).map((q) => (below(3) ? q : 0)),
    resources: Array.from({ length: 1 + below(3) }, resource),
    demand: numbers(m, -2, 6),
    cap: numbers(m, 0, 6),
    ...(below(3) && { shortfallPrice: numbers(m, 0, 15) }),
    ...(below(2) && { loadCongestion: numbers(n, -8, 2) }),
    ...(below(2) && { security: { stake: numbers(n, 0, 9), floor: numbers(m, 0, 8) } }),
    ...(below(2) && {
      groups: {
        count: 2,
        of: Int32Array.from({ length: n }, () => below(3) - 1),
        share: numbers(m, -1, 0),
      },
    }),
  }
}
