import { createRequire } from 'node:module'
import type { EdwardsPoints } from '#primitives'

/** What of libsodium's binding is used: each writes its first argument, and throws on a refusal. */
type Sodium = {
  crypto_core_ed25519_add(sum: Uint8Array, a: Uint8Array, b: Uint8Array): void
  crypto_core_ed25519_sub(difference: Uint8Array, a: Uint8Array, b: Uint8Array): void
  crypto_scalarmult_ed25519_noclamp(product: Uint8Array, n: Uint8Array, point: Uint8Array): void
  crypto_scalarmult_ed25519_base_noclamp(product: Uint8Array, n: Uint8Array): void
}

/** libsodium's arithmetic on edwards25519; undefined where it has no prebuilt binding. */
export function loadOwnPoints(): EdwardsPoints | undefined {
  const require = createRequire(import.meta.url)
  try {
    const sodium = require('sodium-native') as Sodium
    return {
      add: (a, b) => filled((sum) => sodium.crypto_core_ed25519_add(sum, a, b)),
      subtract: (a, b) => filled((rest) => sodium.crypto_core_ed25519_sub(rest, a, b)),
      multiply: (point, scalar) =>
        filled((product) => sodium.crypto_scalarmult_ed25519_noclamp(product, scalar, point)),
      multiplyBase: (scalar) =>
        filled((product) => sodium.crypto_scalarmult_ed25519_base_noclamp(product, scalar)),
    }
  } catch {
    return undefined
  }
}

function filled(write: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(32)
  write(bytes)
  return bytes
}
