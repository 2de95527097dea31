import { mulAddUnsafe, normalizeZ } from '@noble/curves/abstract/curve.js'
import type { EdwardsPoint } from '@noble/curves/abstract/edwards.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import { concatBytes, equalBytes } from './bytes.ts'
import { assert } from './errors.ts'
import { sha512 } from './hashes.ts'
import { candidatePoint, challengeBytes, challengeOf, outputOf, pointBytes } from './vrf-hashes.ts'
import { type EdwardsPoints, proveBy, verifyBy } from './vrf-points.ts'

// ECVRF-EDWARDS25519-SHA512-TAI of RFC 9381 §5.5: every function names its section.

const { Point } = ed25519
const { Fn } = Point

/** Length of a proof: a point, a challenge and a scalar. */
export const vrfProofBytes = pointBytes + challengeBytes + 32

let points: EdwardsPoints | undefined

/**
 * From now on this process proves and verifies by a machine's own arithmetic; undefined: by the
 * portable one again. Proofs, outputs and refusals are the same, so that nothing but time tells.
 */
export function usePoints(own: EdwardsPoints | undefined): void {
  points = own
}

/**
 * The public key of a secret of 32 bytes: the ed25519 key of the same seed. Give a VRF its own
 * secret all the same.
 */
export const vrfPublicKey = (secret: Uint8Array): Uint8Array => ed25519.getPublicKey(secret)

/** The proof, 80 bytes, of the one output that this secret has for `alpha` (§5.1). */
export function vrfProve(secret: Uint8Array, alpha: Uint8Array): Uint8Array {
  assert(secret.length === 32, 'a secret of 32 bytes')
  try {
    if (points) return proveBy(points, secret, alpha)
  } catch {
    // The portable arithmetic takes everything.
  }
  const { scalar, prefix, pointBytes: publicKey } = ed25519.utils.getExtendedPublicKey(secret)
  const input = encodeToCurve(publicKey, alpha)
  const inputBytes = input.toBytes()
  const gamma = input.multiply(scalar)
  // Nonce as in §5.4.2.2: bound to the secret and the input, so that it never repeats.
  const nonce = Fn.create(bytesToNumberLE(sha512(prefix, inputBytes)))
  const [gammaBytes, ...rest] = encodePoints([
    gamma,
    Point.BASE.multiply(nonce),
    input.multiply(nonce),
  ])
  const challenge = challengeOf(publicKey, inputBytes, gammaBytes as Uint8Array, ...rest)
  const response = Fn.create(nonce + bytesToNumberLE(challenge) * scalar)
  return concatBytes(gammaBytes as Uint8Array, challenge, numberToBytesLE(response, 32))
}

/**
 * The output, 64 bytes, that the proof shows for `alpha`, or undefined when the proof or the key is
 * bad (§5.3 with key validation, §5.4.5). One key has one output for one `alpha`, whoever proves
 * it. Not constant-time: everything here is public.
 */
export function vrfVerify(
  publicKey: Uint8Array,
  alpha: Uint8Array,
  proof: Uint8Array,
): Uint8Array | undefined {
  if (proof.length !== vrfProofBytes) return undefined
  try {
    if (points) return verifyBy(points, publicKey, alpha, proof)
  } catch {
    // It takes no points with a part of small order, for one: the portable arithmetic has to judge.
  }
  return verifyPortably(publicKey, alpha, proof)
}

function verifyPortably(
  publicKey: Uint8Array,
  alpha: Uint8Array,
  proof: Uint8Array,
): Uint8Array | undefined {
  const key = decodePoint(publicKey)
  if (key === undefined || key.isSmallOrder()) return undefined
  const gammaBytes = proof.subarray(0, pointBytes)
  const challengeGiven = proof.subarray(pointBytes, pointBytes + challengeBytes)
  const gamma = decodePoint(gammaBytes)
  const response = bytesToNumberLE(proof.subarray(pointBytes + challengeBytes))
  if (gamma === undefined || response >= Fn.ORDER) return undefined
  const challenge = bytesToNumberLE(challengeGiven)
  const input = encodeToCurve(publicKey, alpha)
  const u = Point.BASE.multiplyUnsafe(response).subtract(key.multiplyUnsafe(challenge))
  const v = mulAddUnsafe(Point, [input, gamma.negate()], [response, challenge])
  const [inputBytes, uBytes, vBytes, outputPoint] = encodePoints([
    input,
    u,
    v,
    gamma.clearCofactor(),
  ]) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const expected = challengeOf(publicKey, inputBytes, gammaBytes, uBytes, vBytes)
  return equalBytes(expected, challengeGiven) ? outputOf(outputPoint) : undefined
}

/** Try and increment (§5.4.1.1): the first counter whose hash is a point, without its cofactor. */
function encodeToCurve(publicKey: Uint8Array, alpha: Uint8Array): EdwardsPoint {
  for (let counter = 0; counter < 256; counter++) {
    const point = decodePoint(candidatePoint(publicKey, alpha, counter))?.clearCofactor()
    if (point !== undefined && !point.is0()) return point
  }
  // Half of all hashes are points: this has a chance of 2^-256.
  assert(false, 'an input that no counter maps to the curve')
}

/** Points as bytes, with one inversion for all of them. */
const encodePoints = (points: EdwardsPoint[]): Uint8Array[] =>
  normalizeZ(Point, points).map((point) => point.toBytes())

/** RFC 8032 §5.1.3, canonical encodings only; undefined when the bytes are none. */
function decodePoint(bytes: Uint8Array): EdwardsPoint | undefined {
  if (bytes.length !== pointBytes) return undefined
  try {
    return Point.fromBytes(bytes)
  } catch {
    return undefined
  }
}
