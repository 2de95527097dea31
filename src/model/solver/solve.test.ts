import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgramme, type ProgrammeParts, solve } from '#model'
import { infeasible, instance, rich, toProgramme } from '../../../bench/allocation-instances.ts'
import { assertOptimal, assertSolved } from '../../../test/support/optimal.ts'

const seeds = Array.from({ length: 20 }, (_, k) => k + 1)

test('solve: where Newton steps stall, proximal steps get there', () => {
  const found = assertSolved(instance('near-linear', 300, 300, 13), 'seed 13')
  assert(found.effort.newton > 500, 'the instance that this is about')
})

test('solve: linear programmes are solved to the vertex, 20 seeds', () => {
  for (const seed of seeds) {
    const draft = instance('base', 60, 60, seed)
    draft.congestion.fill(0)
    const { allocation, gap } = assertSolved(draft, `seed ${seed}`)
    assert(gap < 1e-12)
    const between = allocation.units.filter((x, e) => x < 0.999 * at(draft.cap, allocation.task, e))
    assert(between.length <= 120, 'a vertex has at most N + M entries between their bounds')
  }
})

test('solve: linear programmes of identical operators do not cycle', () => {
  for (const family of ['identical operators', 'identical utilities'] as const) {
    const draft = instance(family, 80, 40, 3)
    draft.congestion.fill(0)
    assertSolved(draft, family)
  }
})

test('solve: a single task that only few may do is named as what cannot be met', () => {
  const draft = instance('base', 50, 20, 1)
  const cap = new Float64Array(50 * 20).map((_, e) => draft.cap[e % 20] as number)
  for (let i = 2; i < 50; i++) cap[i * 20 + 7] = 0
  const solution = solve(toProgramme({ ...draft, cap }))
  assert(solution.status === 'infeasible')
  assert.deepEqual(solution.certificate.tasks, [7])
  assert.deepEqual(solution.certificate.limits, [])
})

test('solve: with a shortfall price the same demand is served as far as it pays', () => {
  const draft = infeasible(60, 60, 4)
  const programme = toProgramme(draft, { shortfallPrice: new Float64Array(60).fill(2) })
  const found = assertOptimal(programme, solve(programme), 'elastic')
  assert(found.shortfall.some((missed) => missed > 0))
  found.shortfall.forEach((missed, t) => {
    if (missed > 1e-6) assert(Math.abs((found.prices.demand[t] as number) + 2) < 1e-6)
  })
})

test('solve: work that costs more than its shortfall is left', () => {
  const draft = instance('base', 20, 20, 1)
  draft.utility.fill(-1)
  const programme = toProgramme(draft, { shortfallPrice: new Float64Array(20).fill(0.5) })
  const found = assertOptimal(programme, solve(programme), 'left')
  assert.equal(found.allocation.units.length, 0)
})

test('solve: all constraints at once, elastic, inelastic, nearly linear and linear', () => {
  for (const seed of [1, 2, 3]) {
    const parts = rich(40, 40, seed)
    const variants = {
      elastic: parts,
      inelastic: roomy(parts),
      nearlyLinear: { ...parts, congestion: parts.congestion.map((q) => q / 100) },
      linear: { ...parts, congestion: parts.congestion.map(() => 0) },
    }
    for (const [name, variant] of Object.entries(variants)) {
      const programme = createProgramme(variant)
      assertOptimal(programme, solve(programme), `${name}, seed ${seed}`)
    }
  }
})

test('solve: security and groups can be what makes demand impossible', () => {
  const { shortfallPrice: _, ...parts } = rich(30, 10, 1)
  const security = { stake: new Float64Array(30).fill(10), floor: new Float64Array(10).fill(20) }
  const poor = solve(createProgramme({ ...parts, security }))
  assert.equal(poor.status, 'infeasible')
  const groups = { count: 1, of: new Int32Array(30), share: new Float64Array(10).fill(0.5) }
  const alone = solve(createProgramme({ ...parts, groups }))
  assert.equal(alone.status, 'infeasible')
})

test('solve: two operators and one task, by hand', () => {
  // Equal margins: 3 − x1 = 2 − x2 with x1 + x2 = 2, so x = (1.5, 0.5) and μ = 1.5.
  const programme = createProgramme({
    operators: 2,
    tasks: 1,
    utility: Float64Array.of(3, 2),
    congestion: Float64Array.of(1, 1),
    resources: [{ name: 'capacity', capacity: Float64Array.of(5, 5) }],
    demand: Float64Array.of(2),
    cap: Float64Array.of(Infinity),
  })
  const found = assertOptimal(programme, solve(programme), 'by hand')
  assert(Math.abs((found.allocation.units[0] as number) - 1.5) < 1e-9)
  assert(Math.abs((found.allocation.units[1] as number) - 0.5) < 1e-9)
  assert(Math.abs((found.prices.demand[0] as number) - 1.5) < 1e-9)
  assert(Math.abs(found.objective - (4.5 + 1 - 1.125 - 0.125)) < 1e-9)
})

test('solve: a start from the prices of a similar programme gives the same answer sooner', () => {
  const draft = instance('base', 300, 100, 5)
  const before = assertSolved(draft, 'before')
  const moved = { ...draft, utility: draft.utility.map((u, e) => u * (1 + 0.01 * Math.sin(e))) }
  const programme = toProgramme(moved)
  const cold = assertOptimal(programme, solve(programme), 'cold')
  const warm = assertOptimal(programme, solve(programme, { start: before.prices }), 'warm')
  assert(Math.abs(warm.objective - cold.objective) <= 1e-7 * Math.abs(cold.objective))
  assert(warm.effort.newton < cold.effort.newton)
})

test('solve: a start from wrong prices does no harm', () => {
  const programme = toProgramme(instance('base', 150, 150, 6))
  const cold = assertOptimal(programme, solve(programme), 'cold')
  const wrong = {
    ...cold.prices,
    demand: cold.prices.demand.map((_, t) => (t % 2 ? 100 : -100)),
    capacity: cold.prices.capacity.map(() => 50),
  }
  const found = assertOptimal(programme, solve(programme, { start: wrong }), 'wrong')
  assert(Math.abs(found.objective - cold.objective) <= 1e-7 * Math.abs(cold.objective))
})

test('solve: the same programme gives the same bits', () => {
  const programme = toProgramme(instance('base', 90, 70, 7))
  assert.deepEqual(solve(programme), solve(programme))
})

/** Without shortfall prices, and with room enough that none is needed. */
function roomy({ shortfallPrice: _, groups, ...parts }: ProgrammeParts): ProgrammeParts {
  const resources = parts.resources.map((resource) => ({
    ...resource,
    capacity: resource.capacity.map((room) => 2 * room),
  }))
  return {
    ...parts,
    resources,
    ...(groups && { groups: { ...groups, share: groups.share.map((share) => share + 0.3) } }),
  }
}

const at = (cap: Float64Array, task: Int32Array, e: number): number =>
  cap[task[e] as number] as number
