import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nextStartMs } from './pacing.ts'

const timing = { blockIntervalMs: 200, heartbeatMs: 1000 }

test('pacing: with work at once, a block interval after the last start', () => {
  assert.equal(nextStartMs(timing, 5000, 0), 5200)
})

test('pacing: work that is due later is waited for', () => {
  assert.equal(nextStartMs(timing, 5000, 5700), 5700)
})

test('pacing: without work, or with work far away, a heartbeat', () => {
  assert.equal(nextStartMs(timing, 5000, undefined), 6000)
  assert.equal(nextStartMs(timing, 5000, 99_000), 6000)
})

test('pacing: never below the interval, never above the heartbeat', () =>
  fc.assert(
    fc.property(fc.nat(10_000), fc.option(fc.nat(20_000), { nil: undefined }), (lastMs, workMs) => {
      const startMs = nextStartMs(timing, lastMs, workMs)
      assert(startMs >= lastMs + 200 && startMs <= lastMs + 1000)
    }),
  ))
