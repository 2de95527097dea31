// Signatures and randomness proofs for networks of ledgers: real ones, and ideal ones that cost
// nothing and that nobody but the tests could forge.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  concatBytes,
  equalBytes,
  fromHex,
  type Hex,
  keccak256,
  sha256,
  toHex,
  vrfProve,
  vrfPublicKey,
  vrfVerify,
} from '#primitives'
import type { Environment } from '#protocol'

/** What operators and clients sign with, and what the ledger checks it with. */
export type LedgerCrypto = Pick<Environment, 'recoverAddress' | 'verifyRandomness'> & {
  readonly addressOf: (secret: Uint8Array) => Hex
  readonly signDigest: (digest: Hex, secret: Uint8Array) => Hex
  readonly vrfKeyOf: (secret: Uint8Array) => Hex
  readonly proveRandomness: (secret: Uint8Array, alpha: Uint8Array) => Uint8Array
}

const addressOfKey = (key: Uint8Array): Hex => toHex(keccak256(key.subarray(1)).subarray(12))

/** ECDSA over secp256k1, and RFC 9381. */
export const realCrypto: LedgerCrypto = {
  addressOf: (secret) => addressOfKey(secp256k1.getPublicKey(secret, false)),
  signDigest: (digest, secret) => {
    const options = { prehash: false, format: 'recovered' } as const
    const signature = secp256k1.sign(fromHex(digest), secret, options)
    const [recovery = 0] = signature
    return toHex(new Uint8Array([...signature.subarray(1), 27 + recovery]))
  },
  recoverAddress: (digest, signature) => {
    try {
      const bytes = fromHex(signature, 65)
      const recovered = new Uint8Array([(bytes[64] ?? 0) - 27, ...bytes.subarray(0, 64)])
      const key = secp256k1.recoverPublicKey(recovered, fromHex(digest), { prehash: false })
      return addressOfKey(secp256k1.Point.fromBytes(key).toBytes(false))
    } catch {
      return undefined
    }
  },
  vrfKeyOf: (secret) => toHex(vrfPublicKey(secret)),
  proveRandomness: vrfProve,
  verifyRandomness: (key, alpha, proof) => vrfVerify(fromHex(key), alpha, proof),
}

const padded = (length: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(length)
  bytes.set(concatBytes(...parts))
  return bytes
}
const sealOf = (address: Hex, digest: Hex): Hex =>
  toHex(padded(65, fromHex(address), sha256(fromHex(address), fromHex(digest))))
const proofOf = (key: Uint8Array, alpha: Uint8Array) => padded(80, sha256(key, alpha))

/** A signature is the signer's address and a hash; a proof is a hash of the public key. */
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
