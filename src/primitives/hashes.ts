import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, type Hex, toHex } from './bytes.ts'

/** SHA-256 of the concatenated parts (FIPS 180-4), 32 bytes. The ledger's own hash. */
export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  nobleSha256(parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts))

/** Keccak-256 of the concatenated parts, 32 bytes. The hash of everything that L1 checks. */
export const keccak256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  keccak_256(parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts))

/** SHA-256 as hex. */
export const sha256Hex = (...parts: readonly Uint8Array[]): Hex => toHex(sha256(...parts))

/** Keccak-256 as hex. */
export const keccak256Hex = (...parts: readonly Uint8Array[]): Hex => toHex(keccak256(...parts))
