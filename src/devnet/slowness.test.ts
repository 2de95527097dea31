import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSlowness, slowOutcome } from './slowness.ts'

const epochMs = 10_000
/** Shares of operator 2 in each epoch; an epoch is last seen at its end. */
const allocations = [25, 25, 25, 16, 6, 4, 12, 22].map((percent, place) => ({
  epoch: place + 1,
  timeMs: (place + 1) * epochMs,
  shares: { '1': 1 - percent / 100, '2': percent / 100 },
}))
/** A task a second; it takes longer while work has not moved. */
const tasks = Array.from({ length: 80 }, (_, second) => {
  const requestedMs = second * 1_000
  const span = second >= 25 && second < 50 ? 3_000 : 1_000 + second
  return { requestedMs, agreedMs: requestedMs + span }
})
const facts = { allocations, tasks }
const span = { fromMs: 25_000, untilMs: 65_000 }

test('slow: shares and p99 are told of the same run, well and once work had moved', () => {
  assert.deepEqual(slowOutcome(2, span, facts), {
    operator: 2,
    share: { before: 0.25, afterThree: 0.04, least: 0.04, end: 0.22 },
    p99Ms: { healthy: 1_023, moved: 1_064, ratio: 1.04 },
    tasks: { healthy: 24, moved: 14 },
  })
})

test('slow: tasks that go on taking long show in the ratio', () => {
  const late = tasks.map((one) => ({ ...one, agreedMs: one.requestedMs + 1_000 }))
  const stuck = late.map((one) =>
    one.requestedMs > span.fromMs ? { ...one, agreedMs: one.requestedMs + 3_000 } : one,
  )
  assert.equal(slowOutcome(2, span, { allocations, tasks: stuck })?.p99Ms.ratio, 3)
})

test('slow: of a run that ends before the third epoch nothing is said', () => {
  const short = { allocations: allocations.slice(0, 5), tasks }
  assert.equal(slowOutcome(2, span, short), undefined)
  assert.equal(slowOutcome(2, span, { allocations, tasks: [] }), undefined)
})

test('slow: the first slow time is remembered, whatever comes after', () => {
  let now = 5
  const slowness = createSlowness(() => now)
  assert.equal(slowness.first(), undefined)
  for (const [at, isSlow] of [
    [10, true],
    [11, true],
    [20, false],
    [30, true],
    [40, false],
  ] as const) {
    now = at
    slowness.set(isSlow)
    assert.equal(slowness.isSlow(), isSlow)
  }
  assert.deepEqual(slowness.first(), { fromMs: 10, untilMs: 20 })
})
