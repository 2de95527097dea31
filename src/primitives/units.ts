import { assert } from './errors.ts'

declare const unit: unique symbol

/** A type that only its own constructor or decoder can make from `Base`. */
export type Brand<Base, Name extends string> = Base & { readonly [unit]: Name }

/** Token amount in wei (1 ether = 10^18 wei). Never negative. */
export type Wei = Brand<bigint, 'Wei'>

/** A fraction or exponent in units of 10^-18. */
export type Wad = Brand<bigint, 'Wad'>

/** One, as a `Wad`. */
export const oneWad = (10n ** 18n) as Wad

/** A non-negative bigint as wei; a defect when negative. */
export function wei(value: bigint): Wei {
  if (value < 0n) throw new Error(`defect: negative amount ${value}`)
  return value as Wei
}

/** A bigint in units of 10^-18 as `Wad`. */
export const wad = (value: bigint): Wad => value as Wad

/** Basis points (1/10,000) as a `Wad`. */
export const wadFromBps = (bps: number): Wad => wad((BigInt(bps) * oneWad) / 10_000n)

/** `value × fraction`, rounded down: rounding always favours the pool. No part is negative. */
export const mulWadDown = (value: Wei, fraction: Wad): Wei =>
  wei(divideDown(value * fraction, oneWad))

/** Product of two fractions that are not negative, rounded down. */
export const mulWad = (a: Wad, b: Wad): Wad => wad(divideDown(a * b, oneWad))

/**
 * `part / whole` as a fraction, rounded down; a defect when `part` is negative or `whole` not
 * positive.
 */
export const divWadDown = (part: bigint, whole: bigint): Wad =>
  wad(divideDown(part * oneWad, whole))

/** Whether `part` is more than two thirds of `whole`. Exact. */
export const isMoreThanTwoThirds = (part: bigint, whole: bigint): boolean => part * 3n > whole * 2n

/** Whether `part` is more than one third of `whole`. Exact. */
export const isMoreThanOneThird = (part: bigint, whole: bigint): boolean => part * 3n > whole

/** BigInt division rounds towards zero, which is down only from zero upwards: else a defect. */
function divideDown(numerator: bigint, denominator: bigint): bigint {
  assert(numerator >= 0n && denominator > 0n, 'a quotient that is not negative')
  return numerator / denominator
}
