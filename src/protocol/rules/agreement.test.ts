import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { agree } from '#protocol'
import { byteService, textService } from '../../../test/support/test-services.ts'

type Said = { readonly operator: number; readonly weight: number; readonly result: Uint8Array }

const said = (operator: number, value: number, weight = 1): Said => ({
  operator,
  weight,
  result: new Uint8Array([value]),
})
const median = (revealed: readonly Said[], committee: number) =>
  agree(byteService.spec, byteService, revealed, committee)
const by = (rule: 'trimmed' | 'mean') => (revealed: readonly Said[], committee: number) =>
  agree({ ...byteService.spec, rule }, byteService, revealed, committee)
const trimmed = by('trimmed')
const mean = by('mean')
const exact = (revealed: readonly Said[], committee: number) =>
  agree(textService.spec, textService, revealed, committee)

/** Distinct operators with weights of 1 to 5 and results from a few values, so that some agree. */
const crowd = (values: fc.Arbitrary<number>) =>
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 5 }), values), { minLength: 1, maxLength: 9 })
    .map((all) => all.map(([weight, value], i) => said(i + 1, value, weight)))

const weightOf = (all: readonly Said[]) => all.reduce((sum, { weight }) => sum + weight, 0)

test('median: the middle result, and who lies within the tolerance of it', () => {
  const all = [said(1, 100), said(2, 109), said(3, 111), said(4, 255)]
  assert.deepEqual(median(all, 4), {
    ok: true,
    result: new Uint8Array([109]),
    agreeing: [1, 2, 3],
    outlying: [4],
  })
})

test('median: more than two thirds of the committee must have revealed', () => {
  const all = [said(1, 1), said(2, 1)]
  assert.deepEqual(median(all, 3), { ok: false, reason: 'TooFewReveals' })
  assert.deepEqual(median([], 0), { ok: false, reason: 'TooFewReveals' })
  assert.equal(median([...all, said(3, 1)], 4).ok, true)
})

test('median: it equals the middle of the results written out as often as they weigh', () => {
  fc.assert(
    fc.property(crowd(fc.nat(255)), (all) => {
      const outcome = median(all, weightOf(all))
      const written = all.flatMap(({ weight, result }) => Array(weight).fill(result[0]))
      const sorted = written.toSorted((a, b) => a - b)
      const expected = sorted[Math.ceil(sorted.length / 2) - 1]
      assert(outcome.ok)
      assert.equal(outcome.result[0], expected)
      for (const { operator, result } of all) {
        const isClose = Math.abs((result[0] ?? 0) - expected) <= Math.floor(expected / 10)
        assert.equal(outcome.agreeing.includes(operator), isClose)
        assert.equal(outcome.outlying.includes(operator), !isClose)
      }
    }),
  )
})

test('median: liars with less than half of the weight cannot move it out of the honest range', () => {
  fc.assert(
    fc.property(crowd(fc.integer({ min: 100, max: 120 })), crowd(fc.nat(255)), (honest, liars) => {
      fc.pre(weightOf(liars) < weightOf(honest))
      const others = liars.map((one) => ({ ...one, operator: one.operator + 100 }))
      const outcome = median([...honest, ...others], weightOf([...honest, ...others]))
      assert(outcome.ok)
      const values = honest.map(({ result }) => result[0] ?? 0)
      const [agreed = 0] = outcome.result
      assert(Math.min(...values) <= agreed && agreed <= Math.max(...values))
    }),
  )
})

test('exact: the same bytes from more than two thirds of the committee, whoever revealed', () => {
  const three = [said(1, 7), said(2, 7), said(3, 7)]
  assert.deepEqual(exact([...three, said(4, 8)], 4), {
    ok: true,
    result: new Uint8Array([7]),
    agreeing: [1, 2, 3],
    outlying: [4],
  })
  assert.deepEqual(exact([...three, said(4, 8), said(5, 8)], 5), {
    ok: false,
    reason: 'NoMajority',
  })
})

test('exact: it equals counting the weight behind each result', () => {
  fc.assert(
    fc.property(crowd(fc.nat(1)), (all) => {
      const outcome = exact(all, weightOf(all))
      const behind = new Map<number, number>()
      for (const { weight, result } of all)
        behind.set(result[0] ?? 0, (behind.get(result[0] ?? 0) ?? 0) + weight)
      const winner = [...behind].find(([, weight]) => weight * 3 > weightOf(all) * 2)
      assert.equal(outcome.ok, winner !== undefined)
      if (outcome.ok) assert.equal(outcome.result[0], winner?.[0])
    }),
  )
})

test('agree: the order of reveals makes no difference', () => {
  const shuffled = crowd(fc.nat(20)).chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray([...all], { minLength: all.length })),
  )
  fc.assert(
    fc.property(shuffled, ([all, other]) => {
      assert.deepEqual(median(other, weightOf(all)), median(all, weightOf(all)))
      assert.deepEqual(exact(other, weightOf(all)), exact(all, weightOf(all)))
    }),
  )
})

test('trimmed: the mean of the middle third of the weight', () => {
  const six = [1, 2, 30, 50, 200, 255].map((value, i) => said(i + 1, value))
  const outcome = trimmed(six, 6)
  assert(outcome.ok)
  assert.deepEqual(outcome.result, new Uint8Array([40]))
  const weighed = trimmed([said(1, 10), said(2, 20, 4), said(3, 255)], 6)
  assert(weighed.ok)
  assert.deepEqual(weighed.result, new Uint8Array([20]))
})

test('trimmed: it equals the mean of the middle of the results written out three times each', () => {
  fc.assert(
    fc.property(crowd(fc.nat(255)), (all) => {
      const outcome = trimmed(all, weightOf(all))
      const written = all.flatMap(({ weight, result }) => Array(3 * weight).fill(result[0]))
      const total = weightOf(all)
      const middle = written.toSorted((a, b) => a - b).slice(total, 2 * total)
      assert(outcome.ok)
      assert.equal(outcome.result[0], Math.floor(middle.reduce((a, b) => a + b, 0) / total))
    }),
  )
})

test('trimmed: liars with less than a third of the weight cannot move it out of the range', () => {
  fc.assert(
    fc.property(crowd(fc.integer({ min: 100, max: 120 })), crowd(fc.nat(255)), (honest, liars) => {
      fc.pre(weightOf(liars) * 2 < weightOf(honest))
      const others = liars.map((one) => ({ ...one, operator: one.operator + 100 }))
      const outcome = trimmed([...honest, ...others], weightOf([...honest, ...others]))
      assert(outcome.ok)
      const values = honest.map(({ result }) => result[0] ?? 0)
      const [agreed = 0] = outcome.result
      assert(Math.min(...values) <= agreed && agreed <= Math.max(...values))
    }),
  )
})

test('mean: one operator moves it as far as it likes, which is why it is not the default', () => {
  const honest = [said(1, 100), said(2, 100), said(3, 100)]
  const outcomes = [mean, trimmed, median].map((rule) => rule([...honest, said(4, 255)], 4))
  const results = outcomes.map((outcome) => (outcome.ok ? outcome.result[0] : undefined))
  assert.deepEqual(results, [138, 100, 100])
})
