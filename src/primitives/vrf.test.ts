import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import {
  concatBytes,
  fromHex,
  sha256,
  toHex,
  utf8,
  vrfProve,
  vrfPublicKey,
  vrfVerify,
} from './index.ts'

// RFC 9381 appendix B.3, examples 16, 17 and 18.
const vectors = [
  {
    secret: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    alpha: '',
    proof:
      '8657106690b5526245a92b003bb079ccd1a92130477671f6fc01ad16f26f723f26f8a57ccaed74ee1b190bed1f47' +
      '9d9727d2d0f9b005a6e456a35d4fb0daab1268a1b0db10836d9826a528ca76567805',
    beta:
      '90cf1df3b703cce59e2a35b925d411164068269d7b2d29f3301c03dd757876ff66b71dda49d2de59d03450451af0' +
      '26798e8f81cd2e333de5cdf4f3e140fdd8ae',
  },
  {
    secret: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    alpha: '72',
    proof:
      'f3141cd382dc42909d19ec5110469e4feae18300e94f304590abdced48aed5933bf0864a62558b3ed7f2fea45c92' +
      'a465301b3bbf5e3e54ddf2d935be3b67926da3ef39226bbc355bdc9850112c8f4b02',
    beta:
      'eb4440665d3891d668e7e0fcaf587f1b4bd7fbfe99d0eb2211ccec90496310eb5e33821bc613efb94db5e5b54c70' +
      'a848a0bef4553a41befc57663b56373a5031',
  },
  {
    secret: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    alpha: 'af82',
    proof:
      '9bc0f79119cc5604bf02d23b4caede71393cedfbb191434dd016d30177ccbf8096bb474e53895c362d8628ee9f9e' +
      'a3c0e52c7a5c691b6c18c9979866568add7a2d41b00b05081ed0f58ee5e31b3a970e',
    beta:
      '645427e5d00c62a23fb703732fa5d892940935942101e456ecca7bb217c61c452118fec1219202a0edcf038bb637' +
      '3241578be7217ba85a2687f7a0310b2df19f',
  },
].map((vector) => ({
  secret: fromHex(`0x${vector.secret}`, 32),
  key: fromHex(`0x${vector.key}`, 32),
  alpha: fromHex(`0x${vector.alpha}`),
  proof: fromHex(`0x${vector.proof}`, 80),
  beta: fromHex(`0x${vector.beta}`, 64),
}))

test('vrf: keys, proofs and outputs are those of RFC 9381 appendix B.3', () => {
  for (const { secret, key, alpha, proof, beta } of vectors) {
    assert.equal(toHex(vrfPublicKey(secret)), toHex(key))
    assert.equal(toHex(vrfProve(secret, alpha)), toHex(proof))
    assert.equal(toHex(vrfVerify(key, alpha, proof) ?? new Uint8Array()), toHex(beta))
  }
})

test('vrf: a proof verifies for its own key and alpha only', () =>
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ maxLength: 40 }),
      (secret, alpha) => {
        const key = vrfPublicKey(secret)
        const proof = vrfProve(secret, alpha)
        assert.equal(vrfVerify(key, alpha, proof)?.length, 64)
        assert.equal(vrfVerify(key, new Uint8Array([...alpha, 0]), proof), undefined)
        assert.equal(vrfVerify(vrfPublicKey(sha256(secret)), alpha, proof), undefined)
      },
    ),
    { numRuns: 15 },
  ))

test('vrf: a change of any byte of the proof is refused', () => {
  const { key, alpha, proof } = vectors[1] as (typeof vectors)[0]
  for (let i = 0; i < proof.length; i++)
    assert.equal(vrfVerify(key, alpha, proof.with(i, (proof[i] ?? 0) ^ 1)), undefined)
  assert.equal(vrfVerify(key, alpha, proof.subarray(1)), undefined)
  assert.equal(vrfVerify(key, alpha, new Uint8Array([...proof, 0])), undefined)
})

test('vrf: the response must be below the group order', () => {
  const { key, alpha, proof } = vectors[0] as (typeof vectors)[0]
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  let response = order
  for (let i = 0; i < 32; i++) response += BigInt(proof[48 + i] ?? 0) << BigInt(8 * i)
  const unreduced = proof.slice()
  for (let i = 0; i < 32; i++) unreduced[48 + i] = Number((response >> BigInt(8 * i)) & 255n)
  assert.equal(vrfVerify(key, alpha, unreduced), undefined)
})

test('vrf: keys of small order and bytes that are no canonical point are refused', () => {
  const { alpha, proof } = vectors[0] as (typeof vectors)[0]
  const bad = {
    identity: '0100000000000000000000000000000000000000000000000000000000000000',
    'order 2': 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'order 4': '0000000000000000000000000000000000000000000000000000000000000000',
    'order 8': 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'not canonical': 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'not on the curve': '0200000000000000000000000000000000000000000000000000000000000000',
  }
  // With challenge and response zero, u and v are the identity: the degenerate case must not throw.
  const degenerate = new Uint8Array([...proof.subarray(0, 32), ...new Uint8Array(48)])
  for (const [name, hex] of Object.entries(bad)) {
    const point = fromHex(`0x${hex}`, 32)
    for (const candidate of [proof, degenerate])
      assert.equal(vrfVerify(point, alpha, candidate), undefined, name)
  }
  assert.equal(vrfVerify(new Uint8Array(31), alpha, proof), undefined)
  assert.equal(vrfVerify(vectors[0]?.key as Uint8Array, alpha, degenerate), undefined)
})

test('vrf: a forged proof for the identity as key is refused', () => {
  // With the identity as key and as gamma the equations hold for every nonce, so that whoever
  // registers such a key could choose among outputs. Only key validation stands against it.
  const identity = fromHex('0x01'.padEnd(66, '0'), 32)
  const alpha = utf8('alpha')
  const { Point } = ed25519
  const hashed = [...Array(256).keys()]
    .map((counter) => tagged(1, identity, alpha, new Uint8Array([counter])).subarray(0, 32))
    .find((bytes) => ed25519.utils.isValidPublicKey(bytes, false)) as Uint8Array
  const input = Point.fromBytes(hashed).clearCofactor()
  const points = [identity, input.toBytes(), identity, Point.BASE.multiply(5n).toBytes()]
  const challenge = tagged(2, ...points, input.multiply(5n).toBytes()).subarray(0, 16)
  const forged = concatBytes(identity, challenge, new Uint8Array(32).with(0, 5))
  assert.equal(vrfVerify(identity, alpha, forged), undefined)
})

const tagged = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  sha512(concatBytes(new Uint8Array([3, tag]), ...parts, new Uint8Array(1)))
