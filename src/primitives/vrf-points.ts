import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import { concatBytes, equalBytes } from './bytes.ts'
import { assert } from './errors.ts'
import { sha512 } from './hashes.ts'
import { candidatePoint, challengeBytes, challengeOf, outputOf, pointBytes } from './vrf-hashes.ts'

// The same as vrf.ts over points that are bytes: what a library of the machine has.

const { Fn } = ed25519.Point

/**
 * Arithmetic on edwards25519 over points and scalars of 32 bytes as RFC 8032 §5.1 writes them. Each
 * function throws for operands that it does not take: bytes that are no point, at least.
 */
export type EdwardsPoints = {
  readonly add: (a: Uint8Array, b: Uint8Array) => Uint8Array
  readonly subtract: (a: Uint8Array, b: Uint8Array) => Uint8Array
  /** Takes no point outside the group of prime order, and gives none, nor the identity. */
  readonly multiply: (point: Uint8Array, scalar: Uint8Array) => Uint8Array
  readonly multiplyBase: (scalar: Uint8Array) => Uint8Array
}

/** `vrfProve`; throws where the arithmetic does. */
export function proveBy(points: EdwardsPoints, secret: Uint8Array, alpha: Uint8Array): Uint8Array {
  const { scalar, prefix } = expand(secret)
  const scalarBytes = toBytes(scalar)
  const publicKey = points.multiplyBase(scalarBytes)
  const input = encodeToCurve(points, publicKey, alpha)
  const gamma = points.multiply(input, scalarBytes)
  const nonce = Fn.create(bytesToNumberLE(sha512(prefix, input)))
  const [u, v] = [points.multiplyBase(toBytes(nonce)), points.multiply(input, toBytes(nonce))]
  const challenge = challengeOf(publicKey, input, gamma, u, v)
  const response = Fn.create(nonce + bytesToNumberLE(challenge) * scalar)
  return concatBytes(gamma, challenge, toBytes(response))
}

/**
 * The output that a proof of 80 bytes shows; undefined when it shows none, and it throws where the
 * arithmetic does, which says nothing of the proof.
 */
export function verifyBy(
  points: EdwardsPoints,
  publicKey: Uint8Array,
  alpha: Uint8Array,
  proof: Uint8Array,
): Uint8Array | undefined {
  const gamma = proof.subarray(0, pointBytes)
  const challenge = proof.subarray(pointBytes, pointBytes + challengeBytes)
  const response = proof.subarray(pointBytes + challengeBytes)
  if (bytesToNumberLE(response) >= Fn.ORDER) return undefined
  const challengeScalar = concatBytes(challenge, new Uint8Array(pointBytes - challengeBytes))
  const input = encodeToCurve(points, publicKey, alpha)
  const u = points.subtract(
    points.multiplyBase(response),
    points.multiply(publicKey, challengeScalar),
  )
  const v = points.subtract(
    points.multiply(input, response),
    points.multiply(gamma, challengeScalar),
  )
  if (!equalBytes(challengeOf(publicKey, input, gamma, u, v), challenge)) return undefined
  return outputOf(clearCofactor(points, gamma))
}

/** RFC 8032 §5.1.5. */
function expand(secret: Uint8Array): { readonly scalar: bigint; readonly prefix: Uint8Array } {
  const hash = sha512(secret)
  const low = hash.subarray(0, pointBytes)
  low[0] = (low[0] as number) & 0b1111_1000
  low[31] = ((low[31] as number) & 0b0111_1111) | 0b0100_0000
  return { scalar: Fn.create(bytesToNumberLE(low)), prefix: hash.subarray(pointBytes) }
}

const toBytes = (scalar: bigint): Uint8Array => numberToBytesLE(scalar, pointBytes)

function encodeToCurve(
  points: EdwardsPoints,
  publicKey: Uint8Array,
  alpha: Uint8Array,
): Uint8Array {
  for (let counter = 0; counter < 256; counter++) {
    try {
      return clearCofactor(points, candidatePoint(publicKey, alpha, counter))
    } catch {
      // No point: the next one.
    }
  }
  assert(false, 'an input that no counter maps to the curve')
}

/** Eight times a point. */
function clearCofactor({ add }: EdwardsPoints, point: Uint8Array): Uint8Array {
  const double = add(point, point)
  const fourfold = add(double, double)
  return add(fourfold, fourfold)
}
