import { assert, bigintToBytes, bytesToBigint } from '#primitives'

/** A price in units of 10^-8 of the quote. */
export type Price = bigint

/** Decimals of a price. */
export const priceDecimals = 8

const one = 10n ** BigInt(priceDecimals)
const half = 2n ** 255n

/** A number as a Solidity `int256`: 32 bytes, big-endian, two's complement. */
export function encodeInt256(value: bigint): Uint8Array {
  assert(value >= -half && value < half, 'fits int256')
  return bigintToBytes(BigInt.asUintN(256, value), 32)
}

/** The number in 32 bytes of an `int256`. */
export const decodeInt256 = (bytes: Uint8Array): bigint => BigInt.asIntN(256, bytesToBigint(bytes))

/**
 * A decimal number such as `3123.45` as a price; digits past the eighth decimal are cut off.
 *
 * @returns undefined when the text is no plain decimal of at most 30 digits before the point and 18
 * behind it. No sign, no exponent, no blanks.
 */
export function parsePrice(text: string): Price | undefined {
  const match = /^(\d{1,30})(?:\.(\d{1,18}))?$/.exec(text)
  if (!match) return undefined
  const [, whole = '', decimals = ''] = match
  return BigInt(whole) * one + BigInt(decimals.slice(0, priceDecimals).padEnd(priceDecimals, '0'))
}

/** A price as a decimal number with all its decimals: `3123.45000000`. */
export function formatPrice(price: Price): string {
  const absolute = price < 0n ? -price : price
  const decimals = (absolute % one).toString().padStart(priceDecimals, '0')
  return `${price < 0n ? '-' : ''}${absolute / one}.${decimals}`
}
