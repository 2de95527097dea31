import { serializeTransaction } from 'viem'
import { fromHex, type Hex, keccak256, keccak256Hex, toHex, utf8 } from '#primitives'

/** 65 bytes, r ‖ s ‖ v with v in {27, 28}, over a 32-byte digest. */
export type SignDigest = (digest: Uint8Array, secret: Uint8Array) => Uint8Array

/** What a transfer may pay for each unit of gas, in wei. */
export type Fees = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/** A plain transfer of ether. */
export type Transfer = Fees & {
  readonly chainId: number
  readonly nonce: number
  readonly to: Hex
  readonly value: bigint
}

/** A transaction as it is sent, and the hash that it is known by. */
export type SignedTransfer = { readonly raw: Hex; readonly hash: Hex }

/** Gas that a transfer to an account without code uses. */
const transferGas = 21_000n

/** An EIP-1559 transfer, signed. */
export function signTransfer(
  transfer: Transfer,
  secret: Uint8Array,
  sign: SignDigest,
): SignedTransfer {
  const unsigned = { ...transfer, type: 'eip1559', gas: transferGas } as const
  const digest = keccak256(fromHex(serializeTransaction(unsigned)))
  const signature = sign(digest, secret)
  const raw = serializeTransaction(unsigned, {
    r: toHex(signature.subarray(0, 32)),
    s: toHex(signature.subarray(32, 64)),
    yParity: (signature[64] ?? 27) - 27,
  })
  return { raw, hash: keccak256Hex(fromHex(raw)) }
}

/** An address of nobody for the n-th transfer of a run: each is another account. */
export const recipientOf = (number: number): Hex =>
  toHex(keccak256(utf8(`NodeOP load recipient ${number}`)).subarray(12))

/**
 * Fees that stay above the base fee for a while: it rises by at most an eighth a block.
 *
 * @param baseFee - of the latest block, in wei.
 */
export const feesOver = (baseFee: bigint): Fees => ({
  maxFeePerGas: 10n * baseFee + tip,
  maxPriorityFeePerGas: tip,
})

const tip = 10n ** 9n
