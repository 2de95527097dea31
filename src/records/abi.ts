import { assert, bigintToBytes, concatBytes, fromHex, type Hex } from '#primitives'

/** What Solidity writes as one word: an unsigned number, an address, or 32 bytes. */
export type AbiValue = bigint | number | Hex

const wordBytes = 32
const addressBytes = 20

/**
 * Solidity's `abi.encode` of values whose types have one size: a word each, numbers big-endian,
 * addresses at the end of theirs. Whether a number fits a narrower type is its codec's to say.
 *
 * @see Solidity documentation, Contract ABI Specification
 */
export const abiWords = (...values: readonly AbiValue[]): Uint8Array =>
  concatBytes(...values.map(wordOf))

/**
 * `abi.encode` of one struct of such values and a `bytes` as its last member: where the struct
 * begins, its values, where its bytes begin, and these.
 */
export function abiStruct(values: readonly AbiValue[], body: Uint8Array): Uint8Array {
  const padding = new Uint8Array((wordBytes - (body.length % wordBytes)) % wordBytes)
  const bodyAt = (values.length + 1) * wordBytes
  return concatBytes(abiWords(wordBytes, ...values, bodyAt, body.length), body, padding)
}

function wordOf(value: AbiValue): Uint8Array {
  if (typeof value === 'bigint') return bigintToBytes(value, wordBytes)
  if (typeof value === 'number') return bigintToBytes(BigInt(value), wordBytes)
  const bytes = fromHex(value)
  assert(bytes.length === wordBytes || bytes.length === addressBytes, 'a word or an address')
  return concatBytes(new Uint8Array(wordBytes - bytes.length), bytes)
}
