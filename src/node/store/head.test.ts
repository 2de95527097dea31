import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CodecError, decode, encode, list, uint64 } from '#records'
import { replacedCodec } from './head.ts'

test('head: ids are written as SSZ writes a list of them, and come back', () =>
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat(), { maxLength: 30 }), (ids) => {
      const bytes = encode(replacedCodec, ids)
      assert.deepEqual(bytes, encode(list(uint64, 2 ** 32), ids))
      assert.deepEqual(decode(replacedCodec, bytes), ids)
    }),
  ))

test('head: bytes that are no ids are refused', () => {
  assert.throws(() => decode(replacedCodec, new Uint8Array(9)), CodecError)
  assert.throws(() => decode(replacedCodec, new Uint8Array(8).fill(255)), CodecError)
  for (const bad of [-1, 0.5, 2 ** 53]) assert.throws(() => encode(replacedCodec, [bad]), /defect/)
})
