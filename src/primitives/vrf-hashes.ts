import { sha512 } from './hashes.ts'

// What ECVRF-EDWARDS25519-SHA512-TAI hashes (RFC 9381 §5.5).

const suite = new Uint8Array([3])
const encodeTag = new Uint8Array([1])
const challengeTag = new Uint8Array([2])
const outputTag = new Uint8Array([3])
const end = new Uint8Array([0])

/** Bytes of a point and of a scalar. */
export const pointBytes = 32
/** Bytes of a challenge. */
export const challengeBytes = 16

/**
 * What a counter makes of an input: 32 bytes that are a point for half of all counters (§5.4.1.1).
 */
export const candidatePoint = (
  publicKey: Uint8Array,
  alpha: Uint8Array,
  counter: number,
): Uint8Array =>
  sha512(suite, encodeTag, publicKey, alpha, new Uint8Array([counter]), end).subarray(0, pointBytes)

/** Key, input, gamma, u, v to 16 bytes (§5.4.3). */
export const challengeOf = (...points: readonly Uint8Array[]): Uint8Array =>
  sha512(suite, challengeTag, ...points, end).subarray(0, challengeBytes)

/** The output, 64 bytes, that belongs to gamma without its cofactor (§5.2). */
export const outputOf = (point: Uint8Array): Uint8Array => sha512(suite, outputTag, point, end)
