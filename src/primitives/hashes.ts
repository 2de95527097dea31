import { sha256 as nobleSha256, sha512 as nobleSha512 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, type Hex, toHex } from './bytes.ts'

/** The hashes that everything here is made of, each of one byte string. */
export type Hashes = {
  /** FIPS 180-4, 32 bytes. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  /** FIPS 180-4, 64 bytes. */
  readonly sha512: (bytes: Uint8Array) => Uint8Array
  /** Keccak as Ethereum has it, 32 bytes. */
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
}

/** In plain JavaScript: they run everywhere. */
export const portableHashes: Hashes = {
  sha256: nobleSha256,
  sha512: nobleSha512,
  keccak256: keccak_256,
}

let hashes = portableHashes

/**
 * From now on this process hashes with a machine's own implementations. They give the same bytes,
 * so that nothing but time tells.
 */
export function useHashes(own: Hashes): void {
  hashes = own
}

/** SHA-256 of the concatenated parts (FIPS 180-4), 32 bytes. The ledger's own hash. */
export const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => hashes.sha256(joined(parts))

/** SHA-512 of the concatenated parts (FIPS 180-4), 64 bytes. */
export const sha512 = (...parts: readonly Uint8Array[]): Uint8Array => hashes.sha512(joined(parts))

/** Keccak-256 of the concatenated parts, 32 bytes. The hash of everything that L1 checks. */
export const keccak256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  hashes.keccak256(joined(parts))

/** SHA-256 as hex. */
export const sha256Hex = (...parts: readonly Uint8Array[]): Hex => toHex(sha256(...parts))

/** Keccak-256 as hex. */
export const keccak256Hex = (...parts: readonly Uint8Array[]): Hex => toHex(keccak256(...parts))

const joined = (parts: readonly Uint8Array[]): Uint8Array =>
  parts.length === 1 ? (parts[0] as Uint8Array) : concatBytes(...parts)
