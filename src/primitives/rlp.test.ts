import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RLP } from '@ethereumjs/rlp'
import fc from 'fast-check'
import { decodeRlp, RlpError, type RlpItem, rlpBytes, rlpInteger, rlpList } from './rlp.ts'

const encode = (item: RlpItem): Uint8Array =>
  item instanceof Uint8Array ? rlpBytes(item) : rlpList(item.map(encode))

const nested = fc.letrec<{ item: RlpItem }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 4 },
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('item'), { maxLength: 5 }),
  ),
})).item

test('decodeRlp, rlpList: read and write what @ethereumjs/rlp does', () =>
  fc.assert(
    fc.property(nested, (item) => {
      const encoded = RLP.encode(item as never)
      assert.deepEqual(decodeRlp(encoded), RLP.decode(encoded))
      assert.deepEqual(encode(item), encoded)
    }),
  ))

test('decodeRlp: whatever it takes, encoding gives the same bytes; the rest is refused', () =>
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        assert.deepEqual(RLP.encode(decodeRlp(bytes) as never), bytes)
      } catch (thrown) {
        assert(thrown instanceof RlpError)
      }
    }),
  ))

test('rlpInteger: agrees with @ethereumjs/rlp', () =>
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (value) =>
      assert.deepEqual(rlpInteger(value), RLP.encode(value)),
    ),
  ))

test('decodeRlp: nests no deeper than any record of Ethereum needs', () => {
  const nest = (depth: number): Uint8Array =>
    depth === 0 ? rlpBytes(new Uint8Array()) : rlpList([nest(depth - 1)])
  assert(decodeRlp(nest(5)))
  assert.throws(() => decodeRlp(nest(6)), { code: 'BadRlp' })
})
