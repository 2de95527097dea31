import assert from 'node:assert/strict'
import { sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { fromHex, toHex } from '#primitives'
import { ed25519Pair, ed25519PublicKey } from './ed25519.ts'

/** RFC 8032 §7.1, test 2. */
const vector = {
  seed: fromHex('0x4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
  publicKey: '0x3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  message: fromHex('0x72'),
  signature:
    '0x92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
} as const

test('ed25519: a seed gives the key and signs as the RFC has it', () => {
  const { publicKey, privateKey } = ed25519Pair(vector.seed)
  assert.equal(toHex(publicKey), vector.publicKey)
  assert.equal(toHex(sign(null, vector.message, privateKey)), vector.signature)
})

test('ed25519: a public key verifies what its seed signed, and nothing else', () => {
  const key = ed25519PublicKey(fromHex(vector.publicKey))
  const signature = fromHex(vector.signature)
  assert(verify(null, vector.message, key, signature))
  assert(!verify(null, fromHex('0x73'), key, signature))
})

test('ed25519: keys of any other length are a defect', () => {
  for (const length of [0, 31, 33, 64]) {
    assert.throws(() => ed25519Pair(new Uint8Array(length)), /32 bytes/)
    assert.throws(() => ed25519PublicKey(new Uint8Array(length)), /32 bytes/)
  }
})
