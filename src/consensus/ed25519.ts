import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { assert, concatBytes, fromHex } from '#primitives'

/** What follows from an ed25519 seed (RFC 8032). */
export type Ed25519Pair = {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** As `node:crypto` signs with it. */
  readonly privateKey: KeyObject
}

/** @param seed - the ed25519 private key, 32 bytes. */
export function ed25519Pair(seed: Uint8Array): Ed25519Pair {
  assert(seed.length === 32, 'an ed25519 seed has 32 bytes')
  const encoded = Buffer.from(concatBytes(privateKeyPrefix, seed))
  const privateKey = createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { publicKey: Uint8Array.from(spki.subarray(publicKeyPrefix.length)), privateKey }
}

/**
 * A public key as `node:crypto` verifies with it.
 *
 * @param publicKey - 32 bytes.
 */
export function ed25519PublicKey(publicKey: Uint8Array): KeyObject {
  assert(publicKey.length === 32, 'an ed25519 public key has 32 bytes')
  const encoded = Buffer.from(concatBytes(publicKeyPrefix, publicKey))
  return createPublicKey({ key: encoded, format: 'der', type: 'spki' })
}

/** DER around a raw key (RFC 8410). */
const privateKeyPrefix = fromHex('0x302e020100300506032b657004220420')
const publicKeyPrefix = fromHex('0x302a300506032b6570032100')
