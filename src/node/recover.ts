import { createRequire } from 'node:module'
import { fromHex, type Hex, keccak256, toHex } from '#primitives'

/**
 * Public key (64 bytes, x ‖ y) that signed a digest; undefined when there is none.
 *
 * @param digest - 32 bytes.
 * @param signature - 64 bytes, r ‖ s.
 * @param recovery - 0 or 1.
 */
export type RecoverPublicKey = (
  digest: Uint8Array,
  signature: Uint8Array,
  recovery: number,
) => Uint8Array | undefined

/** 65 bytes, r ‖ s ‖ v with v in {27, 28}, over a 32-byte digest. */
export type SignDigest = (digest: Uint8Array, secret: Uint8Array) => Uint8Array

/** What a secp256k1 library does for us. */
type Secp256k1 = {
  readonly recover: RecoverPublicKey
  readonly sign: SignDigest
  /** Public key (64 bytes, x ‖ y) of a secret; undefined when the bytes are none. */
  readonly publicKeyOf: (secret: Uint8Array) => Uint8Array | undefined
  /** Which implementation serves. */
  readonly backend: 'native' | 'wasm'
}

const order = fromHex('0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141')
/** The highest low s, and one. */
const halfOrder = fromHex('0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1')

/** The fastest secp256k1 that loads here: the native prebuilt binding, else WebAssembly. */
export function loadSecp256k1(): Secp256k1 {
  return loadNative() ?? loadWasm()
}

/** The prebuilt binding; undefined where there is none for this platform. */
export function loadNative(): Secp256k1 | undefined {
  const require = createRequire(import.meta.url)
  try {
    // The package falls back to slow JavaScript by itself; only its native binding is wanted here.
    const native = require('secp256k1/bindings.js') as typeof import('secp256k1')
    return {
      backend: 'native',
      recover: (digest, signature, recovery) => {
        try {
          return native.ecdsaRecover(signature, recovery, digest, false).subarray(1)
        } catch {
          return undefined // the binding throws for a point that is not on the curve
        }
      },
      sign: (digest, secret) => {
        const { signature, recid } = native.ecdsaSign(digest, secret)
        return withRecovery(signature, recid)
      },
      publicKeyOf: (secret) =>
        native.privateKeyVerify(secret)
          ? native.publicKeyCreate(secret, false).subarray(1)
          : undefined,
    }
  } catch {
    return undefined
  }
}

/** The portable fallback. */
export function loadWasm(): Secp256k1 {
  const require = createRequire(import.meta.url)
  const wasm = require('tiny-secp256k1') as typeof import('tiny-secp256k1')
  return {
    backend: 'wasm',
    recover: (digest, signature, recovery) => {
      try {
        return wasm.recover(digest, signature, recovery as 0 | 1, false)?.subarray(1)
      } catch {
        return undefined // it throws for r or s out of range
      }
    },
    sign: (digest, secret) => {
      const { signature, recoveryId } = wasm.signRecoverable(digest, secret)
      return withRecovery(signature, recoveryId)
    },
    publicKeyOf: (secret) =>
      wasm.isPrivate(secret)
        ? (wasm.pointFromScalar(secret, false) ?? undefined)?.subarray(1)
        : undefined,
  }
}

function withRecovery(signature: Uint8Array, recovery: number): Uint8Array {
  const whole = new Uint8Array(65)
  whole.set(signature)
  whole[64] = 27 + recovery
  return whole
}

/** Address of an uncompressed public key without its prefix byte. */
export const addressOfPublicKey = (publicKey: Uint8Array): Hex =>
  toHex(keccak256(publicKey).subarray(12))

/**
 * The ledger's `recoverAddress` over a backend: r and s are checked before any library sees them,
 * and only the low s is taken, so that a signature has one form. Takes bytes too, as they are.
 */
export const recoverAddressWith =
  (recover: RecoverPublicKey) =>
  (digest: Hex | Uint8Array, signature: Hex | Uint8Array): Hex | undefined => {
    const signed = bytesOf(digest)
    const given = bytesOf(signature)
    if (signed.length !== 32 || given.length !== 65) return undefined
    const rs = given.subarray(0, 64)
    const v = given[64] as number
    if (!isScalar(rs, 0, order) || !isScalar(rs, 32, halfOrder) || (v !== 27 && v !== 28))
      return undefined
    const key = recover(signed, rs, v - 27)
    return key && addressOfPublicKey(key)
  }

const bytesOf = (given: Hex | Uint8Array): Uint8Array =>
  typeof given === 'string' ? fromHex(given) : given

/** Whether the 32 bytes from `start` on are a number above zero and below `end`. */
function isScalar(bytes: Uint8Array, start: number, end: Uint8Array): boolean {
  let isZero = true
  for (let i = 0; isZero && i < 32; i++) isZero = bytes[start + i] === 0
  if (isZero) return false
  for (let i = 0; i < 32; i++) {
    const difference = (bytes[start + i] as number) - (end[i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}
