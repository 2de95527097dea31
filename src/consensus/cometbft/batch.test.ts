import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bytesInBatch,
  encodeBatch,
  longestBatch,
  maxBatchBytes,
  maxBatchTransactions,
  tryDecodeBatch,
} from './batch.ts'

const batches = fc.record(
  {
    sequence: fc.nat(),
    transactions: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), {
      minLength: 1,
      maxLength: 20,
    }),
  },
  { noNullPrototype: true },
)

test('batch: what is written is read, and as long as its parts say', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const bytes = encodeBatch(batch)
      assert.deepEqual(tryDecodeBatch(bytes), batch)
      const parts = batch.transactions.reduce((sum, one) => sum + bytesInBatch(one), 0)
      assert.equal(bytes.length, parts + encodeBatch({ sequence: 0, transactions: [] }).length)
    }),
  )
})

test('batch: what is cut off or changed is none, or another', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (batch, place, change) => {
      const bytes = encodeBatch(batch)
      const at = place % bytes.length
      assert.notDeepEqual(tryDecodeBatch(bytes.subarray(0, at)), batch)
      const changed = bytes.map((byte, i) => (i === at ? byte ^ change : byte))
      const read = tryDecodeBatch(changed)
      if (read) assert.deepEqual(encodeBatch(read), changed, 'one batch, one byte string')
    }),
  )
})

test('batch: none is empty, of something empty, or of more than may be asked at once', () => {
  const batch = (count: number, bytes: number) =>
    encodeBatch({ sequence: 0, transactions: Array(count).fill(new Uint8Array(bytes)) })
  const most = tryDecodeBatch(batch(maxBatchTransactions, 1))
  assert.equal(most?.transactions.length, maxBatchTransactions)
  assert.throws(() => batch(maxBatchTransactions + 1, 1))
  // One more, as its sender might write it: offsets of 4 bytes each, then the transactions.
  const [head, item] = [12, 4 + 1]
  const count = maxBatchTransactions + 1
  const hostile = new Uint8Array(head + count * (4 + item))
  const view = new DataView(hostile.buffer)
  view.setUint32(8, head, true)
  for (let i = 0; i < count; i++) {
    view.setUint32(head + 4 * i, 4 * count + item * i, true)
    view.setUint32(head + 4 * count + item * i, 4, true)
  }
  assert.equal(tryDecodeBatch(hostile), undefined)
  const transactions = [new Uint8Array(1), new Uint8Array()]
  assert.equal(tryDecodeBatch(encodeBatch({ sequence: 0, transactions })), undefined)
  assert.equal(tryDecodeBatch(batch(0, 0)), undefined)
})

test('batch: the longest is of many transactions, or of the longest alone', () => {
  const lengthOf = (...lengths: readonly number[]) =>
    encodeBatch({ sequence: 0, transactions: lengths.map((length) => new Uint8Array(length)) })
      .length
  const most = 2 * maxBatchBytes
  assert.equal(longestBatch(most), lengthOf(most))
  const half = maxBatchBytes / 2 - bytesInBatch(new Uint8Array())
  assert.equal(longestBatch(1_000), lengthOf(half, half))
})
