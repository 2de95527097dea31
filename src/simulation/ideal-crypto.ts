import { concatBytes, equalBytes, fromHex, type Hex, sha256, toHex } from '#primitives'
import type { Environment } from '#protocol'

/** What operators and clients sign with, and what the ledger checks it with. */
export type LedgerCrypto = Pick<Environment, 'recoverAddress' | 'verifyRandomness'> & {
  readonly addressOf: (secret: Uint8Array) => Hex
  readonly signDigest: (digest: Hex, secret: Uint8Array) => Hex
  readonly vrfKeyOf: (secret: Uint8Array) => Hex
  readonly proveRandomness: (secret: Uint8Array, alpha: Uint8Array) => Uint8Array
}

const padded = (length: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(length)
  bytes.set(concatBytes(...parts))
  return bytes
}
const sealOf = (address: Hex, digest: Hex): Hex =>
  toHex(padded(65, fromHex(address), sha256(fromHex(address), fromHex(digest))))
const proofOf = (key: Uint8Array, alpha: Uint8Array) => padded(80, sha256(key, alpha))

/**
 * Ideal signatures and randomness proofs: they cost nothing, and nobody in a run makes one without
 * the key. A signature is the signer's address and a hash; a proof is a hash of the public key.
 */
export const idealCrypto: LedgerCrypto = {
  addressOf: (secret) => toHex(sha256(secret).subarray(12)),
  signDigest: (digest, secret) => sealOf(idealCrypto.addressOf(secret), digest),
  recoverAddress: (digest, signature) => {
    const address = signature.slice(0, 42) as Hex
    return sealOf(address, digest) === signature ? address : undefined
  },
  vrfKeyOf: (secret) => toHex(sha256(secret)),
  proveRandomness: (secret, alpha) => proofOf(sha256(secret), alpha),
  verifyRandomness: (key, alpha, proof) =>
    equalBytes(proof, proofOf(fromHex(key), alpha)) ? padded(64, sha256(proof)) : undefined,
}
