import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  equalBytes,
  fromHex,
  fromUtf8,
  HexError,
  toHex,
  uint64Bytes,
  utf8,
} from './index.ts'

const bytes = fc.uint8Array({ maxLength: 40 })

test('hex: every byte string comes back, in either case', () =>
  fc.assert(
    fc.property(bytes, (given) => {
      const hex = toHex(given)
      assert.equal(hex, `0x${Buffer.from(given).toString('hex')}`)
      assert.deepEqual(fromHex(hex, given.length), given)
      assert.deepEqual(fromHex(`0x${hex.slice(2).toUpperCase()}`), given)
    }),
  ))

test('hex: what is not hex, or of another length, is refused', () => {
  for (const bad of [
    '',
    '0',
    '0x1',
    'abcd',
    '0X12',
    '0x1g',
    '0xg1',
    '0x 1',
    '0x1é',
    '0xé1',
    '0x+1',
  ])
    assert.throws(() => fromHex(bad), HexError, bad)
  assert.throws(() => fromHex('0x1234', 3), HexError)
  assert.deepEqual(fromHex('0x', 0), new Uint8Array())
})

test('hex: megabytes are read, and refused with a short message', () => {
  const long = `0x${'ab'.repeat(4_500_000)}`
  assert.equal(fromHex(long).length, 4_500_000)
  const refused = (error: unknown) => error instanceof HexError && error.details.text.length <= 100
  assert.throws(() => fromHex(`${long}zz`), refused)
})

test('utf8: every well-formed text comes back, also one that begins with U+FEFF', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(fromUtf8(utf8(text)), text.toWellFormed())
    }),
  )
  assert.equal(fromUtf8(utf8('\ufeffa')), '\ufeffa')
  assert.throws(() => fromUtf8(new Uint8Array([0xff])), TypeError)
})

test('bytes: equality is that of hex', () =>
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const [x, y] = [toHex(a), toHex(b)]
      assert.equal(equalBytes(a, b), x === y)
      assert(equalBytes(a, a.slice()))
      assert.equal(toHex(concatBytes(a, b)), x + y.slice(2))
    }),
  ))

test('integers: every value that fits comes back, and no other is written', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
      assert.equal(bytesToBigint(bigintToBytes(value, 32)), value)
      if (value >= 2n ** 64n) assert.throws(() => bigintToBytes(value, 8), HexError)
    }),
  )
  assert.throws(() => bigintToBytes(-1n, 8), HexError)
  assert.deepEqual(uint64Bytes(258), new Uint8Array([0, 0, 0, 0, 0, 0, 1, 2]))
  for (const bad of [-1, 0.5, 2 ** 53, Number.NaN])
    assert.throws(() => uint64Bytes(bad), HexError, String(bad))
})
