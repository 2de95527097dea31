import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { watchDisk } from './disk-watch.ts'

/** A watch over a disk that can be filled. */
function watching() {
  const clock = new ManualClock()
  const seen = { isFull: false, tries: 0, failures: [] as unknown[] }
  const watch = watchDisk({
    async tryDisk() {
      seen.tries++
      if (seen.isFull) throw new Error('full')
    },
    onFailure: (error) => void seen.failures.push(error),
    clock,
  })
  const pass = async (ms: number) => {
    clock.advance(ms)
    await turn()
  }
  return { clock, seen, watch, pass }
}

test('disk watch: while blocks come the disk is left alone', async () => {
  const { seen, watch, pass } = watching()
  for (let second = 0; second < 60; second++) {
    await pass(1_000)
    watch.decided()
  }
  assert.equal(seen.tries, 0)
  await pass(10_000)
  await pass(10_000)
  assert.equal(seen.tries, 2, 'and tried again and again while none comes')
})

test('disk watch: one that is full is told once; a stopped watch tells nothing', async () => {
  const { seen, pass, clock } = watching()
  seen.isFull = true
  await pass(10_000)
  await pass(60_000)
  assert.equal(seen.failures.length, 1)
  assert.equal(clock.waiting, 0)
  const other = watching()
  other.seen.isFull = true
  other.clock.advance(10_000)
  other.watch.stop()
  await turn()
  assert.deepEqual([other.seen.tries, other.seen.failures, other.clock.waiting], [1, [], 0])
})
