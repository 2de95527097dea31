import { secp256k1_FROST as frost, secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToBigint, fromHex, type Hex } from '#primitives'

/** A group of n operators with threshold ⌊2n/3⌋+1, dealt by a trusted dealer. */
export type FrostGroup = {
  readonly x: bigint
  readonly parity: number
  /** The group's signature, without zero bytes, over 32 bytes. */
  sign(message: Hex): { readonly rx: bigint; readonly ry: bigint; readonly z: bigint }
}

/** How many of n must sign. */
export const thresholdOf = (n: number): number => Math.floor((2 * n) / 3) + 1

/** Deals a key to n operators. */
export function createFrostGroup(n: number): FrostGroup {
  const min = thresholdOf(n)
  const ids = Array.from({ length: n }, (_, i) => frost.Identifier.fromNumber(i + 1))
  const deal = frost.trustedDealer({ min, max: n }, ids)
  const signers = ids.slice(0, min).map((id) => required(deal.secretShares[id]))
  const key = secp256k1.Point.fromBytes(required(deal.public.commitments[0])).toAffine()

  const signOnce = (message: Uint8Array): Uint8Array => {
    const nonces = signers.map((share) => frost.commit(share))
    const commitments = nonces.map((nonce) => nonce.commitments)
    const shares = signers.map((share, i) => [
      share.identifier,
      frost.signShare(share, deal.public, required(nonces[i]).nonces, commitments, message),
    ])
    return frost.aggregate(deal.public, commitments, message, Object.fromEntries(shares))
  }
  const sign = (message: Hex) => {
    for (;;) {
      const signature = signOnce(fromHex(message, 32))
      const r = secp256k1.Point.fromBytes(signature.slice(0, 33))
      const z = signature.slice(33)
      if (hasZero(r.toBytes(false)) || hasZero(z)) continue
      const { x, y } = r.toAffine()
      return { rx: x, ry: y, z: bytesToBigint(z) }
    }
  }
  return { x: key.x, parity: Number(key.y & 1n), sign }
}

/** Whether a byte is zero: call data is cheaper by 12 gas for each. */
export const hasZero = (bytes: Uint8Array): boolean => bytes.includes(0)

/** The value, which is there by construction. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('defect: missing')
  return value
}
