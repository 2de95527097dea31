import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  BadProgrammeError,
  defaultUtilityRule,
  expectedHarm,
  expectedSlash,
  type Merits,
  unitUtility,
} from '#model'

const merits: Merits = {
  operators: 2,
  tasks: 2,
  value: Float64Array.of(10, 4),
  consensus: Float64Array.of(1, 0.5, 0.8, 0),
  performance: Float64Array.of(0.5, 0.5, 0.2, 1),
  trust: Float64Array.of(1, 0.25),
  cost: Float64Array.of(1, 2, 0.5, 0.5),
}

test('unitUtility: paper mode leaves trust out', () => {
  const utility = unitUtility(merits, { ...defaultUtilityRule, mode: 'paper' })
  assert.deepEqual([...utility], [6.5, 0, 4.5, 1.5])
})

test('unitUtility: trust mode multiplies value by trust to its exponent', () => {
  assert.deepEqual([...unitUtility(merits)], [6.5, 0, 0.75, 0])
  const root = unitUtility(merits, { ...defaultUtilityRule, trustExponent: 0.5 })
  assert.deepEqual([...root], [6.5, 0, 2, 0.5])
})

test('unitUtility: both readings of corruption lower it', () => {
  const harm = expectedHarm(merits.trust, 0.1, Float64Array.of(20, 0))
  harm.forEach((h, e) => {
    assert(Math.abs(h - ([0, 0, 1.5, 0][e] as number)) < 1e-12)
  })
  const slash = expectedSlash(Float64Array.of(3, 1), Float64Array.of(0.5, 1))
  assert.deepEqual([...slash], [1.5, 3, 0.5, 1])
  const plain = unitUtility(merits)
  for (const corruptionCost of [harm, slash]) {
    const lowered = unitUtility({ ...merits, corruptionCost })
    lowered.forEach((u, e) => {
      assert(Math.abs(u - (plain[e] as number) + (corruptionCost[e] as number)) < 1e-12)
    })
  }
})

test('unitUtility: more score and more trust never lower it', () => {
  const better = unitUtility({
    ...merits,
    consensus: merits.consensus.map((c) => Math.min(c + 0.2, 1)),
    trust: merits.trust.map((t) => Math.min(t + 0.2, 1)),
  })
  const before = unitUtility(merits)
  assert(better.every((u, e) => u >= (before[e] as number)))
})

test('unitUtility: numbers that cannot be are refused with their place', () => {
  const refused = (change: Partial<Merits>, part: string, row: number, column: number) =>
    assert.throws(
      () => unitUtility({ ...merits, ...change }),
      (error) =>
        error instanceof BadProgrammeError &&
        error.details.part === part &&
        error.details.row === row &&
        error.details.column === column,
    )
  refused({ consensus: Float64Array.of(1, 0.5, 1.2, 0) }, 'consensus score', 1, 0)
  refused({ trust: Float64Array.of(1, Number.NaN) }, 'trust', 1, -1)
  refused({ value: Float64Array.of(1, -1) }, 'value', -1, 1)
  refused({ cost: Float64Array.of(1, 1, 1, Infinity) }, 'cost', 1, 1)
  assert.throws(
    () => unitUtility(merits, { ...defaultUtilityRule, consensusWeight: 0.6 }),
    /weights: must sum to one/,
  )
})
