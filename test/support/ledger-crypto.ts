// Signatures and randomness proofs for networks of ledgers: real ones, and ideal ones that cost
// nothing and that nobody but the tests could forge.
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, keccak256, toHex, vrfProve, vrfPublicKey, vrfVerify } from '#primitives'
import { idealCrypto, type LedgerCrypto } from '#simulation'

export { idealCrypto, type LedgerCrypto }

const addressOfKey = (key: Uint8Array) => toHex(keccak256(key.subarray(1)).subarray(12))

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
