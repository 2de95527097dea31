import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import { chainL1Digest, emptyL1Digest, type L1Event } from '#records'
import { contradicts, emptyHistory, endOf, extend, lastBlock, takeBack } from './history.ts'

const hash: Hex = `0x${'01'.repeat(32)}`
const deposit = (block: number, amountWei: bigint): L1Event => ({
  kind: 'deposited',
  block,
  transaction: hash,
  logIndex: 0,
  account: `0x${'02'.repeat(20)}`,
  amountWei,
})

/** Numbers of events in the blocks 1, 2, 3, … */
const counts = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 20 })

function historyOf(numbers: readonly number[], amountWei = 1n) {
  const history = emptyHistory(1)
  for (const [i, number] of numbers.entries())
    extend(history, i + 1, hash, Array(number).fill(deposit(i + 1, amountWei)))
  return history
}

test('history: the digest chains every event in order', () =>
  fc.assert(
    fc.property(counts, (numbers) => {
      const { events, digests } = historyOf(numbers)
      assert.equal(digests.length, events.length + 1)
      assert.equal(digests.at(-1), events.reduce(chainL1Digest, emptyL1Digest))
    }),
  ))

test('history: taking back the last blocks leaves what stood before them', () =>
  fc.assert(
    fc.property(counts, counts, (kept, dropped) => {
      const history = historyOf([...kept, ...dropped])
      for (const _ of dropped) takeBack(history)
      assert.deepEqual(history, historyOf(kept))
    }),
  ))

test('history: it never contradicts its own past, and always another one', () =>
  fc.assert(
    fc.property(counts, counts, (past, rest) => {
      const now = historyOf([...past, ...rest])
      assert.equal(contradicts(now, endOf(historyOf(past))), false)
      const hasEvents = past.some((count) => count > 0)
      assert.equal(contradicts(now, endOf(historyOf(past, 2n))), hasEvents)
    }),
  ))

test('history: who has not read so far yet contradicts nobody', () => {
  const ahead = endOf(historyOf([1, 1, 1]))
  assert.equal(contradicts(historyOf([1]), ahead), false)
  assert.equal(contradicts(historyOf([1, 0, 0]), ahead), true)
})

test('history: when the oldest marks are forgotten, a deep take-back begins anew', () => {
  const history = historyOf(Array(1_100).fill(1))
  while (history.marks.length > 0) takeBack(history)
  assert.equal(lastBlock(history), 0)
  assert.deepEqual(history, emptyHistory(1))
})
