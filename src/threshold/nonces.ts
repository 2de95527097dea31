import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, fromHex, type Hex, toHex, uint64Bytes, utf8 } from '#primitives'
import type { NonceCommitment } from '#records'
import { frostSecret, type KeyPackage } from './key.ts'
import { frost } from './suite.ts'

/** Where an operator's nonces come from, so that a crash costs none. */
export type NonceSource = {
  /** 32 random bytes, sealed in the keystore; renewed whenever the guard's store is lost. */
  readonly seed: Hex
  /** The running instance: fresh with each start of the process. */
  readonly instance: Hex
}

/**
 * Nonce pair number `index`, as published. The same arguments give the same pair for ever, so that
 * whoever signs with it must first bind the index to one session, durably (`sessionDigest`).
 *
 * @param index - per instance from 0 up; a safe integer.
 */
export function nonceCommitment(
  key: KeyPackage,
  seed: Hex,
  instance: Hex,
  index: number,
): NonceCommitment {
  const { commitments } = deriveNonces(key, { seed, instance }, index)
  return { index, hiding: toHex(commitments.hiding), binding: toHex(commitments.binding) }
}

/**
 * Secret nonces and their commitments: RFC 9591 §5.1 with HKDF-SHA-256 (RFC 5869) in place of the
 * random bytes. The RFC's own hedge stays: the share is hashed in, so that a seed that leaks or is
 * guessed does not give the nonces away.
 */
export function deriveNonces(key: KeyPackage, { seed, instance }: NonceSource, index: number) {
  const info = concatBytes(fromHex(instance, 32), uint64Bytes(index))
  const stream = hkdf(sha256, fromHex(seed, 32), salt, info, 64)
  let taken = 0
  return frost.commit(frostSecret(key), (length = 32) => {
    taken += length
    return stream.slice(taken - length, taken)
  })
}

const salt = utf8('NodeOP nonce v1')
