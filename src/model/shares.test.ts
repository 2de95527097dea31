import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  BadProgrammeError,
  createProgramme,
  type ProgrammeParts,
  type Shares,
  solve,
  toShares,
} from '#model'
import { instance, rich, toProgramme } from '../../bench/allocation-instances.ts'

const unit = 1e-6

/**
 * Every limit in whole numbers, exactly; uses and stakes as the rationals that their floats are.
 */
function assertExact(parts: ProgrammeParts, shares: Shares): void {
  const { operators: n, tasks: m, resources, demand, cap, security, groups } = parts
  const whole = (value: number) => BigInt(Math.floor(value / unit + 1e-4))
  const x = Array.from({ length: n }, () => new Array<bigint>(m).fill(0n))
  for (let i = 0; i < n; i++)
    for (let e = shares.start[i] as number; e < (shares.start[i + 1] as number); e++) {
      assert(Number.isSafeInteger(shares.units[e]) && (shares.units[e] as number) > 0)
      ;(x[i] as bigint[])[shares.task[e] as number] = BigInt(shares.units[e] as number)
    }
  for (let t = 0; t < m; t++) {
    const column = x.map((row) => row[t] as bigint)
    const served = column.reduce((a, b) => a + b, 0n)
    const due = BigInt(Math.round((demand[t] as number) / unit))
    assert((shares.shortfall[t] as number) >= 0)
    assert.equal(served + BigInt(shares.shortfall[t] as number), due, `demand ${t}`)
    if (security) {
      const beyond = column.map((units, i) => {
        const [stake, floor] = [security.stake[i] as number, security.floor[t] as number]
        return units * (rational(stake) - rational(floor))
      })
      assert(beyond.reduce((a, b) => a + b, 0n) >= 0n, `security ${t}`)
    }
    for (let g = 0; g < (groups?.count ?? 0); g++) {
      const load = column.reduce((sum, units, i) => sum + (groups?.of[i] === g ? units : 0n), 0n)
      assert(
        load * 2n ** 60n <= rational(groups?.share[t] as number) * due,
        `group ${g}, task ${t}`,
      )
    }
  }
  x.forEach((row, i) => {
    row.forEach((units, t) => {
      assert(units <= whole(cap[cap.length === n * m ? i * m + t : t] as number), `cap ${i} ${t}`)
    })
    resources.forEach(({ capacity, use }, k) => {
      const load = row.reduce((sum, units, t) => {
        const a = use === undefined ? 1 : (use[use.length === m ? t : i * m + t] as number)
        return sum + rational(a) * units
      }, 0n)
      assert(load <= whole(capacity[i] as number) * 2n ** 60n, `resource ${k} of ${i}`)
    })
  })
}

/** value × 2^60, exactly for the floats used here. */
const rational = (value: number): bigint => BigInt(value * 2 ** 60)

test('toShares: every limit holds exactly and nothing is left, with little room too', () => {
  for (const family of ['base', 'slack 2 %', 'identical operators', 'near-linear'] as const) {
    const draft = instance(family, 40, 30, 1)
    const programme = toProgramme(draft)
    const found = solve(programme)
    assert(found.status === 'optimal')
    const shares = toShares(programme, found.allocation)
    assertExact(programme, shares)
    assert(
      shares.shortfall.every((missed) => missed === 0),
      family,
    )
  }
})

test('toShares: with no room at all, work moves along chains until everything is done', () => {
  const draft = instance('base', 25, 25, 2)
  // Whole units add up exactly: capacities sum to demand.
  draft.demand = draft.demand.map((d) => Math.round(d * 1e3) / 1e3)
  const total = draft.demand.reduce((a, b) => a + Math.round(b * 1e6), 0)
  const each = Math.floor(total / 25)
  draft.capacity = draft.capacity.map((_, i) => (i === 0 ? total - 24 * each : each) / 1e6)
  draft.cap = draft.demand.map((d) => d / 2)
  const programme = toProgramme(draft)
  const found = solve(programme)
  assert(found.status === 'optimal')
  const shares = toShares(programme, found.allocation)
  assertExact(programme, shares)
  assert(shares.shortfall.every((missed) => missed === 0))
})

test('toShares: an arbitrary matrix, however far off, becomes exactly feasible', () =>
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 36, maxLength: 36 }),
      fc.integer({ min: 1, max: 1000 }),
      (wanted, seed) => {
        const parts = rich(6, 6, seed)
        const start = Int32Array.from({ length: 7 }, (_, i) => 6 * i)
        const task = Int32Array.from({ length: 36 }, (_, e) => e % 6)
        const allocation = { start, task, units: Float64Array.from(wanted) }
        const programme = createProgramme(parts)
        assertExact(programme, toShares(programme, allocation))
      },
    ),
    { numRuns: 100 },
  ))

test('toShares: all constraints at the optimum, and hardly anything is lost', () => {
  const programme = createProgramme(rich(30, 20, 3))
  const found = solve(programme)
  assert(found.status === 'optimal')
  const shares = toShares(programme, found.allocation)
  assertExact(programme, shares)
  const lost = shares.shortfall.reduce(
    (sum, s, t) => sum + s * unit - (found.shortfall[t] as number),
    0,
  )
  assert(lost < 20 * 30 * 10 * unit, `${lost}`)
})

test('toShares: limits beyond exact integers are refused by name', () => {
  const draft = instance('base', 5, 4, 1)
  draft.demand[2] = 1e12
  const programme = toProgramme(draft)
  const nothing = { start: new Int32Array(6), task: new Int32Array(0), units: new Float64Array(0) }
  assert.throws(
    () => toShares(programme, nothing),
    (error) =>
      error instanceof BadProgrammeError &&
      error.details.part === 'demand' &&
      error.details.column === 2 &&
      /exact integers/.test(error.message),
  )
})
