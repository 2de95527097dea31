import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxBatchBytes, tryDecodeBatch } from './batch.ts'
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
})

test('relay: the same transaction, sent again, is in another batch', () => {
  const relay = new Relay()
  const batches = [1, 2].map(() => {
    relay.add(new Uint8Array([7]))
    return relay.take()
  })
  assert.notDeepEqual(batches[0], batches[1])
})
