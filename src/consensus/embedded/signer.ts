import { hash, type KeyObject, sign, verify } from 'node:crypto'
import { equalBytes, fromHex, type Hex, setBounded, toHex } from '#primitives'
import { ed25519Pair, ed25519PublicKey } from '../ed25519.ts'

/** One thing that a validator signs at most once. */
export type SignSlot = {
  readonly height: number
  readonly round: number
  readonly step: 'proposal' | 'prevote' | 'precommit'
}

/**
 * Remembers what was signed. A slot takes one digest, and slots only move forward.
 */
export type SignGuard = {
  /** Durable before it resolves: whether this digest may be signed for this slot. */
  admit(slot: SignSlot, digest: Hex): Promise<boolean>
  /** Told what a log says was signed, which is new only to a guard that lost its own records. */
  restore(slot: SignSlot, digest: Hex): Promise<void>
}

/** Signs with one ed25519 key, under a guard. */
export type Signer = {
  /** 32 bytes. */
  readonly publicKey: Hex
  /** The signature (64 bytes), or a refusal: another digest was signed there, or a later slot. */
  sign(slot: SignSlot, bytes: Uint8Array): Promise<Signature>
  /** Tells the guard what a log says was signed. */
  restore(slot: SignSlot, bytes: Uint8Array): Promise<void>
}

/** A signature, or why there is none. */
export type Signature =
  | { readonly ok: true; readonly signature: Hex }
  | { readonly ok: false; readonly reason: 'SignRefused' }

/** @param seed - the ed25519 private key, 32 bytes (RFC 8032). */
export function createSigner(seed: Uint8Array, guard: SignGuard = createMemoryGuard()): Signer {
  const { publicKey, privateKey } = ed25519Pair(seed)
  return {
    publicKey: toHex(publicKey),
    async sign(slot, bytes) {
      if (!(await guard.admit(slot, digestOf(bytes)))) return { ok: false, reason: 'SignRefused' }
      return { ok: true, signature: toHex(sign(null, bytes, privateKey)) }
    },
    async restore(slot, bytes) {
      await guard.restore(slot, digestOf(bytes))
    },
  }
}

/** A guard that forgets everything when the process ends: the log must restore it. */
export function createMemoryGuard(): SignGuard {
  let last: { readonly slot: SignSlot; readonly digest: Hex } | undefined
  const admit = (slot: SignSlot, digest: Hex) => {
    const order = last ? compareSlots(slot, last.slot) : 1
    if (order < 0 || (order === 0 && last?.digest !== digest)) return Promise.resolve(false)
    last = { slot, digest }
    return Promise.resolve(true)
  }
  return { admit, restore: async (slot, digest) => void (await admit(slot, digest)) }
}

/** Checks ed25519 signatures; remembers the good ones, since commits repeat what votes showed. */
export type Verifier = (publicKey: Hex, bytes: Uint8Array, signature: Hex) => boolean

/** A verifier with its own memory of `rememberedSignatures`. */
export function createVerifier(): Verifier {
  const keys = new Map<Hex, KeyObject>()
  const good = new Map<Hex, { readonly publicKey: Hex; readonly bytes: Uint8Array }>()
  const keyOf = (publicKey: Hex) => {
    const known = keys.get(publicKey)
    if (known) return known
    const key = ed25519PublicKey(fromHex(publicKey, 32))
    setBounded(keys, publicKey, key, rememberedKeys)
    return key
  }
  return (publicKey, bytes, signature) => {
    const seen = good.get(signature)
    if (seen?.publicKey === publicKey && equalBytes(seen.bytes, bytes)) return true
    if (!verify(null, bytes, keyOf(publicKey), fromHex(signature, 64))) return false
    setBounded(good, signature, { publicKey, bytes }, rememberedSignatures)
    return true
  }
}

/** Enough for two heights of the largest validator set. */
const rememberedSignatures = 2048
const rememberedKeys = 1024

/** The steps of a round, in order. */
const stepOrder = { proposal: 0, prevote: 1, precommit: 2 } as const

/** Which of two slots comes later: negative when `b` does, 0 when they are one. */
export function compareSlots(a: SignSlot, b: SignSlot): number {
  if (a.height !== b.height) return a.height - b.height
  if (a.round !== b.round) return a.round - b.round
  return stepOrder[a.step] - stepOrder[b.step]
}

const digestOf = (bytes: Uint8Array): Hex => `0x${hash('sha256', bytes, 'hex')}`
