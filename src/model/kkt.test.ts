import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bindings,
  capacityWorth,
  createProgramme,
  describeBinding,
  type Found,
  gradient,
  kktResiduals,
  lagrangian,
  type ProgrammeParts,
  primalValue,
  secondOrder,
  solve,
  stepLimit,
  toDense,
} from '#model'
import { instance, rich, toProgramme } from '../../bench/allocation-instances.ts'

function solved(parts: ProgrammeParts): Found {
  const solution = solve(createProgramme(parts))
  assert(solution.status === 'optimal')
  return solution
}

test('kktResiduals: all vanish at the optimum, with every constraint', () => {
  const parts = rich(30, 30, 1)
  const residuals = kktResiduals(createProgramme(parts), solved(parts))
  for (const [name, value] of Object.entries(residuals)) assert(value < 1e-8, `${name} ${value}`)
})

test('kktResiduals: each notices its own fault', () => {
  const parts = rich(20, 20, 2)
  const programme = createProgramme(parts)
  const found = solved(parts)
  const { prices, allocation } = found
  const moved = { ...prices, demand: prices.demand.map((mu) => mu + 0.1) }
  assert(kktResiduals(programme, { ...found, prices: moved }).stationarity > 0.01)
  const negative = { ...prices, capacity: prices.capacity.map(() => -0.1) }
  assert(kktResiduals(programme, { ...found, prices: negative }).dual > 0.01)
  const doubled = { ...allocation, units: allocation.units.map((x) => 2 * x) }
  assert(kktResiduals(programme, { ...found, allocation: doubled }).primal > 0.1)
  const halved = { ...allocation, units: allocation.units.map((x) => x / 2) }
  assert(kktResiduals(programme, { ...found, allocation: halved }).complementarity > 0.01)
})

test('gradient: is the derivative of the Lagrangian by each pair', () => {
  // Without κ, whose part of λ would move with x.
  const { loadCongestion: _, ...parts } = rich(6, 5, 3)
  const programme = createProgramme(parts)
  const found = solved(parts)
  const dense = toDense(found.allocation, 5)
  const slope = gradient(programme, dense, found.prices)
  const at = (e: number, step: number) => {
    const moved = dense.map((x, k) => (k === e ? x + step : x))
    return lagrangian(programme, moved, found.shortfall, found.prices)
  }
  for (let e = 0; e < dense.length; e++) {
    const numeric = (at(e, 1e-5) - at(e, -1e-5)) / 2e-5
    assert(Math.abs(numeric - (slope[e] as number)) < 1e-6, `${e}: ${numeric} ${slope[e]}`)
  }
})

test('lagrangian: equals the objective at the optimum, where nothing unused has a price', () => {
  const parts = rich(25, 15, 4)
  const programme = createProgramme(parts)
  const found = solved(parts)
  const dense = toDense(found.allocation, 15)
  const value = lagrangian(programme, dense, found.shortfall, found.prices)
  assert(Math.abs(value - found.objective) < 1e-7 * Math.abs(found.objective))
})

test('prices: capacity and demand are worth what the optimum gains by one more unit', () => {
  const draft = instance('base', 30, 20, 5)
  const programme = toProgramme(draft)
  const found = solve(programme)
  assert(found.status === 'optimal')
  const objective = (change: Partial<typeof draft>) => {
    const solution = solve(toProgramme({ ...draft, ...change }))
    assert(solution.status === 'optimal')
    return solution.objective
  }
  const worth = capacityWorth(programme, found)
  const step = 1e-4
  for (const i of [0, 7, 19]) {
    const bumped = (by: number) =>
      objective({ capacity: draft.capacity.map((room, k) => (k === i ? room + by : room)) })
    const numeric = (bumped(step) - bumped(-step)) / (2 * step)
    assert(Math.abs(numeric - (worth[i] as number)) < 1e-4, `operator ${i}`)
  }
  for (const t of [1, 11]) {
    const bumped = (by: number) =>
      objective({ demand: draft.demand.map((d, k) => (k === t ? d + by : d)) })
    const numeric = (bumped(step) - bumped(-step)) / (2 * step)
    assert(Math.abs(numeric - (found.prices.demand[t] as number)) < 1e-4, `task ${t}`)
  }
})

test('bindings: spare operators are not listed, full ones in words', () => {
  const draft = instance('base', 30, 20, 5)
  const programme = toProgramme(draft)
  const found = solve(programme, { tolerance: 1e-9 })
  assert(found.status === 'optimal')
  const all = bindings(programme, found)
  const full = all.filter(({ limit }) => limit === 'capacity')
  const { start, units } = found.allocation
  const loads = Array.from({ length: 30 }, (_, i) =>
    units.subarray(start[i], start[i + 1]).reduce((a, b) => a + b, 0),
  )
  const isFull = (load: number, i: number) => load > (draft.capacity[i] as number) * (1 - 1e-9)
  assert.equal(full.length, loads.filter(isFull).length)
  const names = { operator: String, task: String, group: String }
  const [first] = full
  assert(first)
  assert.match(describeBinding(first, names), /is full: one more unit of its capacity would add/)
})

test('secondOrder: with congestion the optimum is strict; eigenvalues are negative', () => {
  const parts = rich(20, 20, 6)
  const { verdict, largest, smallest } = secondOrder(createProgramme(parts), solved(parts))
  assert.equal(verdict, 'strict')
  assert(largest < 0 && smallest < largest)
})

test('secondOrder: a linear optimum is strict at a vertex, flat between equals', () => {
  const draft = instance('base', 20, 20, 7)
  draft.congestion.fill(0)
  const programme = toProgramme(draft)
  const vertex = solve(programme)
  assert(vertex.status === 'optimal')
  assert.equal(secondOrder(programme, vertex).verdict, 'strict')
  const equal = toProgramme({ ...draft, utility: new Float64Array(400).fill(1) })
  const start = Int32Array.from({ length: 21 }, (_, i) => 20 * i)
  const task = Int32Array.from({ length: 400 }, (_, e) => e % 20)
  const units = Float64Array.from(task, (t) => (draft.demand[t] as number) / 20)
  assert.equal(secondOrder(equal, { allocation: { start, task, units } }).verdict, 'flat')
})

test('secondOrder: the eigenvalues of one operator are those of diag(q) + κ a aᵀ', () => {
  // [[3, 2], [2, 4]] = diag(1, 2) + 2 (1, 1)(1, 1)ᵀ has 3.5 ± √(0.25 + 4).
  const programme = createProgramme({
    operators: 1,
    tasks: 2,
    utility: Float64Array.of(10, 10),
    congestion: Float64Array.of(1, 2),
    loadCongestion: Float64Array.of(2),
    resources: [{ name: 'capacity', capacity: Float64Array.of(10) }],
    demand: Float64Array.of(3, 3),
    cap: Float64Array.of(9, 9),
  })
  const half = {
    start: Int32Array.of(0, 2),
    task: Int32Array.of(0, 1),
    units: Float64Array.of(1, 1),
  }
  const { largest, smallest } = secondOrder(programme, { allocation: half })
  assert(Math.abs(largest + 3.5 - Math.sqrt(4.25)) < 1e-9)
  assert(Math.abs(smallest + 3.5 + Math.sqrt(4.25)) < 1e-9)
  assert(Math.abs(stepLimit(programme).step - 2 / (3.5 + Math.sqrt(4.25))) < 1e-9)
})

test('the joint Hessian in (x, λ) is indefinite at a strict optimum: the test of the paper fails it', () => {
  // max x − ½x² subject to x ≤ ½ has the Hessian [[−1, −1], [−1, 0]] in (x, λ).
  const root = Math.sqrt(5)
  const eigenvalues = [(-1 - root) / 2, (-1 + root) / 2]
  for (const h of eigenvalues) assert(Math.abs(h * h + h - 1) < 1e-12, 'root of det(H − h)')
  assert(eigenvalues.some((h) => h < 0) && eigenvalues.some((h) => h > 0))
})

test('primalValue: unmet demand is a violation without a shortfall price, and paid for with one', () => {
  const draft = instance('base', 5, 5, 1)
  const nothing = {
    start: new Int32Array(6),
    task: new Int32Array(0),
    units: new Float64Array(0),
  }
  const inelastic = primalValue(toProgramme(draft), nothing, draft.demand)
  assert.equal(inelastic.violation, 1)
  const price = new Float64Array(5).fill(2)
  const elastic = primalValue(toProgramme(draft, { shortfallPrice: price }), nothing, draft.demand)
  const all = draft.demand.reduce((a, b) => a + b, 0)
  assert.equal(elastic.violation, 0)
  assert(Math.abs(elastic.objective + 2 * all) < 1e-9)
})
