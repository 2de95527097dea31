import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeAbiParameters } from 'viem'
import { toHex } from '#primitives'
import { abiStruct, abiWords } from './abi.ts'

const hexOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(toHex)
const values = fc.record({
  number: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  count: fc.maxSafeNat(),
  address: hexOf(20),
  word: hexOf(32),
})
const types = [
  { name: 'number', type: 'uint256' },
  { name: 'count', type: 'uint64' },
  { name: 'address', type: 'address' },
  { name: 'word', type: 'bytes32' },
] as const

test('abi: words are those of viem', () =>
  fc.assert(
    fc.property(values, ({ number, count, address, word }) =>
      assert.equal(
        toHex(abiWords(number, count, address, word)),
        encodeAbiParameters(types, [number, BigInt(count), address, word]),
      ),
    ),
  ))

test('abi: a struct that ends in bytes is that of viem', () =>
  fc.assert(
    fc.property(values, fc.uint8Array({ maxLength: 100 }), (struct, body) => {
      const { number, count, address, word } = struct
      const components = [...types, { name: 'body', type: 'bytes' }] as const
      const whole = { ...struct, count: BigInt(count), body: toHex(body) }
      assert.equal(
        toHex(abiStruct([number, count, address, word], body)),
        encodeAbiParameters([{ type: 'tuple', components }], [whole]),
      )
    }),
  ))

test('abi: what is no word is a defect', () => {
  for (const value of [-1n, 2n ** 256n, 0.5, '0x00'] as const)
    assert.throws(() => abiWords(value), `${value}`)
})
