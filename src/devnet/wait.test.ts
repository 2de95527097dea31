import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../test/support/manual-clock.ts'
import { waitAtMost } from './wait.ts'

const never = new Promise<never>(() => {})

test('wait: it ends when the time is over', async () => {
  const clock = new ManualClock()
  const wait = waitAtMost(clock, 100, [never])
  clock.advance(100)
  await wait
})

test('wait: an event ends it, and takes the timer with it', async () => {
  const clock = new ManualClock()
  await waitAtMost(clock, 600_000, [never, Promise.resolve()])
  assert.equal(clock.waiting, 0)
})

test('wait: an event that fails ends it with its error, and takes the timer with it', async () => {
  const clock = new ManualClock()
  const failure = new Error('L1 is gone')
  await assert.rejects(waitAtMost(clock, 600_000, [Promise.reject(failure)]), failure)
  assert.equal(clock.waiting, 0)
})

test('wait: without a time only an event ends it', async () => {
  const clock = new ManualClock()
  const wait = waitAtMost(clock, undefined, [Promise.resolve()])
  assert.equal(clock.waiting, 0)
  await wait
})
