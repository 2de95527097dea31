import {
  bigintToBytes,
  bytesToBigint,
  concatBytes,
  type Hex,
  keccak256,
  rlpBytes,
  rlpInteger,
  rlpList,
  toHex,
} from '#primitives'
import {
  type Authorization,
  type EthereumTransaction,
  isSignatureInRange,
} from '../state/ethereum-transaction.ts'

/**
 * The uncompressed public key (64 bytes, without prefix) that signed a 32-byte digest, or undefined
 * when there is none. Called with r and s in [1, n - 1] and recovery 0 or 1 only, so that libraries
 * cannot differ. JavaScript takes 25 times as long as native code: most of a block's work.
 */
export type Recover = (
  digest: Uint8Array,
  r: Uint8Array,
  s: Uint8Array,
  recovery: 0 | 1,
) => Uint8Array | undefined

/** `Recover`, where the answer may come later: from another thread. */
export type RecoverLater = (...signed: Parameters<Recover>) => Promise<ReturnType<Recover>>

/** Address of the sender, 20 bytes, or undefined when the signature is of nobody. */
export function senderOf({ signingHash, r, s, recovery }: EthereumTransaction, recover: Recover) {
  return addressOf(recover(signingHash, r, s, recovery))
}

/** The same, later. */
export async function senderLater(
  { signingHash, r, s, recovery }: EthereumTransaction,
  recover: RecoverLater,
) {
  return addressOf(await recover(signingHash, r, s, recovery))
}

const addressOf = (key: Uint8Array | undefined) => key && keccak256(key).subarray(12)

/** Who signed an authorization (EIP-7702); undefined when nobody did. */
export function authorityOf(
  { chainId, address, nonce, yParity, r, s }: Authorization,
  recover: Recover,
): Hex | undefined {
  if (!isSignatureInRange(r, s, true) || (yParity !== 0 && yParity !== 1)) return undefined
  const message = rlpList([rlpInteger(chainId), rlpBytes(address), rlpInteger(nonce)])
  const digest = keccak256(concatBytes(magic, message))
  const authority = addressOf(recover(digest, bigintToBytes(r, 32), bigintToBytes(s, 32), yParity))
  return authority && toHex(authority)
}

/** First byte of what an authority signs (EIP-7702). */
const magic = Uint8Array.of(5)

/** `Recover` as @ethereumjs calls it: for the ecrecover precompile. */
export const toEthereumjsRecover =
  (recover: Recover) =>
  (digest: Uint8Array, v: bigint, r: Uint8Array, s: Uint8Array): Uint8Array => {
    const recovery = v >= 27n ? v - 27n : v
    const [rValue, sValue] = [bytesToBigint(r), bytesToBigint(s)]
    const inRange = isSignatureInRange(rValue, sValue, false)
    if (!inRange || (recovery !== 0n && recovery !== 1n)) throw new Error('signature out of range')
    const [rWord, sWord] = [bigintToBytes(rValue, 32), bigintToBytes(sValue, 32)]
    const key = recover(digest, rWord, sWord, recovery === 0n ? 0 : 1)
    if (!key) throw new Error('signature of nobody')
    return key
  }
