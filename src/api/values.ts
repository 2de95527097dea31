import { z } from 'zod'
import type { Hex } from '#primitives'

/** A count, height, index, or time in milliseconds: a safe non-negative integer. */
export const count = z.int().nonnegative()

/** An amount below 2^256, as a decimal string: it may exceed what a double holds. */
export const decimal = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,77})$/, 'must be a decimal string')
  .refine((text) => text.length < 78 || BigInt(text) < 2n ** 256n, 'must be below 2^256')

/** A service's name: printable ASCII, so that it fills at most 31 of L1's 32 bytes. */
export const serviceName = z.string().regex(/^[!-~]{1,31}$/, 'must be 1 to 31 ASCII characters')

/** Any bytes as lower-case hex. */
export const hex = z
  .string()
  .regex(/^0x([0-9a-f]{2})*$/, 'must be lower-case 0x hex')
  .transform((text) => text as Hex)

/** Exactly so many bytes as lower-case hex. */
export const hexOf = (length: number) =>
  hex.refine((text) => text.length === 2 + 2 * length, `must be ${length} bytes`)

/** A 32-byte hash or identifier; an account or contract of 20 bytes. */
export const hash = hexOf(32)
export const account = hexOf(20)

/** Hex as people and wallets write it, in any case; read as lower-case. */
export const looseHex = (length?: number) =>
  z
    .string()
    .toLowerCase()
    .pipe(length === undefined ? hex : hexOf(length))

/** How many records a list method returns, newest first. */
export const defaultLimit = 20
export const maxLimit = 100
export const limit = z.int().min(1).max(maxLimit).default(defaultLimit)
