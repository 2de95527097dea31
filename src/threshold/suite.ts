// FROST(secp256k1, SHA-256), RFC 9591 §6.5: the group, its hash functions, and canonical encodings.
import { mulAddUnsafe } from '@noble/curves/abstract/curve.js'
import { secp256k1, secp256k1_FROST, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { concatBytes, fromHex, type Hex, sha256, utf8 } from '#primitives'
import type { OperatorId } from '#records'

/** The ciphersuite as noble implements it. */
export const frost = secp256k1_FROST

/** The curve's points, and its scalars modulo the group order. */
export const Point = secp256k1.Point
export const Scalar = Point.Fn

/** A point of secp256k1. */
export type Point = typeof Point.BASE

const context = 'FROST-secp256k1-SHA256-v1'

const hashToScalar = (tag: string, message: Uint8Array): bigint =>
  secp256k1_hasher.hashToScalar(message, { DST: utf8(context + tag) })

const hashWithTag = (tag: string, message: Uint8Array): Uint8Array =>
  sha256(utf8(context + tag), message)

/** H1: binding factors (RFC 9591 §6.5). */
export const hashRho = (message: Uint8Array): bigint => hashToScalar('rho', message)
/** H2: the challenge, as `GroupVerifier` computes it too. */
export const hashChallenge = (message: Uint8Array): bigint => hashToScalar('chal', message)
/** H4: the message. */
export const hashMessage = (message: Uint8Array): Uint8Array => hashWithTag('msg', message)
/** H5: the commitment list. */
export const hashCommitments = (message: Uint8Array): Uint8Array => hashWithTag('com', message)
/** The hash of the key generation's proof of possession; the RFC has none, frost-rs names it. */
export const hashDkg = (message: Uint8Array): bigint => hashToScalar('dkg', message)

/** An operator's id as the scalar, in bytes, that the scheme knows it by. */
export const identifierBytes = (operator: OperatorId): Uint8Array =>
  Scalar.toBytes(BigInt(operator))

/** The same as noble keys its records by. */
export const identifierOf = (operator: OperatorId): string => frost.Identifier.fromNumber(operator)

/**
 * A compressed point other than the identity (RFC 9591 §3.1, DeserializeElement).
 *
 * @returns undefined when the text is none: malformed, off the curve.
 */
export function parsePoint(text: Hex): Point | undefined {
  try {
    return Point.fromBytes(fromHex(text, 33))
  } catch {
    return undefined
  }
}

/** A scalar below the group order, 32 bytes (DeserializeScalar); undefined when it is none. */
export function parseScalar(text: Hex): bigint | undefined {
  try {
    return Scalar.fromBytes(fromHex(text, 32))
  } catch {
    return undefined
  }
}

/** SerializeElement of points and bytes, one after the other. */
export const serialize = (...parts: readonly (Point | Uint8Array)[]): Uint8Array =>
  concatBytes(...parts.map((part) => (part instanceof Uint8Array ? part : part.toBytes())))

/** Σ scalar·point, of public values only: the time it takes depends on them. */
export const weightedSum = (points: readonly Point[], scalars: readonly bigint[]): Point =>
  mulAddUnsafe(Point, [...points], [...scalars])
