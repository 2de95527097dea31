import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import fc from 'fast-check'
import {
  concatBytes,
  type EdwardsPoints,
  sha256,
  toHex,
  uint64Bytes,
  usePoints,
  vrfProve,
  vrfPublicKey,
  vrfVerify,
} from '#primitives'
import { loadOwnPoints } from './own-points.ts'

const own = loadOwnPoints()
const skip = own === undefined && 'libsodium has no binding here'
after(() => usePoints(undefined))

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 })
const alpha = fc.uint8Array({ maxLength: 60 })

/** What the portable arithmetic gives, and this machine's own. */
const both = <T>(run: () => T): readonly [portable: T, own: T] => {
  usePoints(undefined)
  const portable = run()
  usePoints(own)
  return [portable, run()]
}

const hexOf = (bytes: Uint8Array | undefined) => bytes && toHex(bytes)

test('points: proofs and outputs are those of the portable arithmetic', { skip }, () =>
  fc.assert(
    fc.property(secret, alpha, (one, of) => {
      const [portable, proof] = both(() => vrfProve(one, of))
      assert.equal(toHex(proof), toHex(portable))
      const [expected, output] = both(() => vrfVerify(vrfPublicKey(one), of, proof))
      assert(output)
      assert.equal(hexOf(output), hexOf(expected))
    }),
    { numRuns: 25 },
  ),
)

test('points: what the portable arithmetic refuses is refused', { skip }, () => {
  const one = sha256(uint64Bytes(1))
  const of = sha256(uint64Bytes(2))
  const [key, proof] = [vrfPublicKey(one), vrfProve(one, of)]
  const order = numberToBytesLE(ed25519.Point.Fn.ORDER, 32)
  const wrong = [
    ...[0, 31, 32, 47, 48, 79].map((at) => proof.with(at, (proof[at] ?? 0) ^ 1)),
    concatBytes(proof.subarray(0, 48), order),
    concatBytes(proof.subarray(0, 32), new Uint8Array(48)),
    proof.subarray(1),
    new Uint8Array(80),
  ]
  for (const given of wrong)
    assert.deepEqual(
      both(() => vrfVerify(key, of, given)),
      [undefined, undefined],
    )
  for (const bad of [numberToBytesLE(1n, 32), new Uint8Array(32), key.subarray(1)])
    assert.deepEqual(
      both(() => vrfVerify(bad, of, proof)),
      [undefined, undefined],
    )
})

test('points: a part of small order in gamma or key is judged as by the portable arithmetic', {
  skip,
}, () => {
  const { Point } = ed25519
  const small = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
  for (const [inKey, inGamma] of [
    [small, Point.ZERO],
    [Point.ZERO, small],
    [small, small],
  ] as const) {
    const { key, proof } = proofWith(77n, inKey, inGamma)
    const [expected, output] = both(() => vrfVerify(key, new Uint8Array(), proof))
    assert(expected)
    assert.equal(hexOf(output), hexOf(expected))
  }
})

test('points: what is honest never needs the portable arithmetic', { skip }, () => {
  const refused: unknown[] = []
  const noting = (run: EdwardsPoints['multiply']): EdwardsPoints['multiply'] => {
    return (point, scalar) => {
      try {
        return run(point, scalar)
      } catch (error) {
        refused.push(error)
        throw error
      }
    }
  }
  assert(own)
  let added = 0
  const add: EdwardsPoints['add'] = (a, b) => {
    added++
    return own.add(a, b)
  }
  usePoints({ ...own, add, multiply: noting(own.multiply), subtract: noting(own.subtract) })
  const one = sha256(uint64Bytes(1))
  assert(vrfVerify(vrfPublicKey(one), one, vrfProve(one, one)))
  assert.deepEqual(refused, [])
  assert(added >= 9, 'it was asked')
})

/** A proof that holds, by RFC 9381 §5.3, with points that no honest prover would use. */
function proofWith(scalar: bigint, inKey: typeof ed25519.Point.BASE, inGamma: typeof inKey) {
  const { Point } = ed25519
  const keyPoint = Point.BASE.multiply(scalar).add(inKey)
  const key = keyPoint.toBytes()
  const candidates = [...Array(256).keys()].map((counter) =>
    tagged(1, key, new Uint8Array([counter])).subarray(0, 32),
  )
  const found = candidates.find((bytes) => ed25519.utils.isValidPublicKey(bytes, false))
  const input = Point.fromBytes(found as Uint8Array).clearCofactor()
  const gamma = input.multiply(scalar).add(inGamma)
  // A challenge that eight divides takes the parts of small order away.
  for (let nonce = 1n; ; nonce++) {
    const points = [Point.BASE.multiply(nonce), input.multiply(nonce)].map((one) => one.toBytes())
    const challenge = tagged(2, key, input.toBytes(), gamma.toBytes(), ...points).subarray(0, 16)
    if ((challenge[0] as number) % 8 !== 0) continue
    const response = Point.Fn.create(nonce + bytesToNumberLE(challenge) * scalar)
    return { key, proof: concatBytes(gamma.toBytes(), challenge, numberToBytesLE(response, 32)) }
  }
}

const tagged = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  createHash('sha512')
    .update(concatBytes(new Uint8Array([3, tag]), ...parts, new Uint8Array(1)))
    .digest()
