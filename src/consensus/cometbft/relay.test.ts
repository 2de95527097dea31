import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxBatchBytes, maxBatchTransactions, tryDecodeBatch } from './batch.ts'
import { Relay } from './relay.ts'

const sizes = (relay: Relay): number[] | undefined => {
  const bytes = relay.take()
  return bytes && tryDecodeBatch(bytes)?.transactions.map(({ length }) => length)
}

test('relay: a batch is within its bound, unless it is of one alone', () => {
  const relay = new Relay()
  const third = maxBatchBytes / 3 - 8
  for (const length of [third, third, third, 5, 2 * maxBatchBytes, 6])
    relay.add(new Uint8Array(Math.floor(length)))
  assert.deepEqual(sizes(relay), [third, third, third].map(Math.floor))
  assert.deepEqual(sizes(relay), [5])
  assert.deepEqual(sizes(relay), [2 * maxBatchBytes])
  assert.deepEqual(sizes(relay), [6])
  assert.equal(sizes(relay), undefined)
  for (let i = 0; i <= maxBatchTransactions; i++) relay.add(new Uint8Array([1]))
  assert.equal(sizes(relay)?.length, maxBatchTransactions)
  assert.deepEqual(sizes(relay), [1])
})

test('relay: however many are held, few are looked at after a block, and none is forgotten', () => {
  const relay = new Relay()
  const count = 2_000
  for (let i = 0; i < count; i++) relay.hold(new Uint8Array([1]))
  let looks = 0
  let again = 0
  for (let block = 1; block <= 8; block++) {
    const before = looks
    relay.committed(() => ++looks > 0)
    assert(looks - before <= 512)
    for (let sent = sizes(relay); sent; sent = sizes(relay)) again += sent.length
  }
  assert.deepEqual([looks, again], [count, count])
})

test('relay: the same transaction, sent again, is in another batch', () => {
  const relay = new Relay()
  const batches = [1, 2].map(() => {
    relay.add(new Uint8Array([7]))
    return relay.take()
  })
  assert.notDeepEqual(batches[0], batches[1])
})
