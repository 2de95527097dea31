import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { bigintToBytes, bytesToBigint, toHex } from '#primitives'
import { addressOfSecret } from './keys.ts'
import { loadNative, loadSecp256k1, loadWasm, recoverAddressWith } from './recover.ts'

const native = loadNative()
const backends = [loadWasm(), ...(native ? [native] : [])]
const order = secp256k1.Point.Fn.ORDER

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const secret = bytes32.filter((one) => secp256k1.utils.isValidSecretKey(one))

/** r ‖ s ‖ v, made by the reference library. */
function signByNoble(digest: Uint8Array, key: Uint8Array): Uint8Array {
  const [recovery = 0, ...rest] = secp256k1.sign(digest, key, {
    prehash: false,
    format: 'recovered',
  })
  return new Uint8Array([...rest, 27 + recovery])
}

test('loadSecp256k1: the native binding serves where it loads', () => {
  assert.equal(loadSecp256k1().backend, native ? 'native' : 'wasm')
})

for (const { backend, sign, recover } of backends) {
  test(`${backend}: signs as the reference does, and finds whoever signed`, () =>
    fc.assert(
      fc.property(bytes32, secret, (digest, key) => {
        const signature = signByNoble(digest, key)
        assert.deepEqual(sign(digest, key), signature)
        const signer = recoverAddressWith(recover)(toHex(digest), toHex(signature))
        assert.equal(signer, addressOfSecret(key))
      }),
      { numRuns: 30 },
    ))

  test(`${backend}: random bytes as a signature give what the reference gives`, () =>
    fc.assert(
      fc.property(bytes32, bytes32, bytes32, fc.constantFrom(0, 1), (digest, r, s, recovery) => {
        const found = recover(digest, new Uint8Array([...r, ...s]), recovery)
        assert.deepEqual(found && toHex(found), expected(digest, r, s, recovery))
      }),
      { numRuns: 60 },
    ))

  test(`${backend}: a high s, r or s out of range, and another v are refused`, () => {
    const digest = bigintToBytes(7n, 32)
    const key = bigintToBytes(11n, 32)
    const signature = sign(digest, key)
    const recoverAddress = recoverAddressWith(recover)
    const r = bytesToBigint(signature.subarray(0, 32))
    const s = bytesToBigint(signature.subarray(32, 64))
    const v = signature[64] ?? 0
    const encoded = (r: bigint, s: bigint, v: number) =>
      toHex(new Uint8Array([...bigintToBytes(r, 32), ...bigintToBytes(s, 32), v]))
    assert.equal(recoverAddress(toHex(digest), encoded(r, s, v)), addressOfSecret(key))
    const refused = [
      encoded(r, order - s, 55 - v),
      encoded(0n, s, v),
      encoded(order, s, v),
      encoded(2n ** 256n - 1n, s, v),
      encoded(r, 0n, v),
      encoded(r, order, v),
      encoded(r, s, v - 27),
      encoded(r, s, 29),
      toHex(signature.subarray(0, 64)),
    ]
    for (const one of refused) assert.equal(recoverAddress(toHex(digest), one), undefined)
  })
}

function expected(digest: Uint8Array, r: Uint8Array, s: Uint8Array, recovery: number) {
  try {
    const signature = new Uint8Array([recovery, ...r, ...s])
    const key = secp256k1.recoverPublicKey(signature, digest, { prehash: false })
    return toHex(secp256k1.Point.fromBytes(key).toBytes(false).subarray(1))
  } catch {
    return undefined
  }
}
