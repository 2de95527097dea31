import type { Hex } from '#primitives'
import { setBounded } from './bounded.ts'

/**
 * Binds each threshold nonce to the one session that it may sign: a second share under one nonce
 * gives the secret share away. It lives as long as the process, and so does the instance whose
 * nonces it guards.
 */
export type NonceGuard = {
  /** Whether nonce number `index` may be used in this session; binds it when it is free. */
  readonly permits: (index: number, sessionDigest: Hex) => boolean
}

/**
 * Bindings remembered; nonces below the oldest are refused, since nobody knows what they signed.
 */
const maxBindings = 4096

/** A guard that has permitted nothing yet. */
export function createNonceGuard(limit: number = maxBindings): NonceGuard {
  const sessions = new Map<number, Hex>()
  let floor = 0
  return {
    permits: (index, digest) => {
      const bound = sessions.get(index)
      if (bound !== undefined) return bound === digest
      if (index < floor) return false
      if (sessions.size >= limit) floor = Math.max(floor, (sessions.keys().next().value ?? 0) + 1)
      setBounded(sessions, index, digest, limit)
      return index >= floor
    },
  }
}
