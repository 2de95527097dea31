import type { Hex } from '#primitives'

/** Sees every signature that ever leaves an operator, in all its lives, and says what was wrong. */
export type SigningChecker = {
  /** Something was signed at a position that takes one digest for ever. */
  signed(purpose: string, position: string, digest: Hex): void
  /** An L1 transaction left: its nonce is this call's until the call has ended. */
  sent(nonce: number, digest: Hex): void
  ended(nonce: number): void
  /** Positions signed, by purpose. */
  seen(purpose: string): number
  readonly violations: readonly string[]
}

/** A checker that has seen nothing. */
export function createSigningChecker(): SigningChecker {
  const digests = new Map<string, Map<string, Hex>>()
  const violations: string[] = []
  const of = (purpose: string) => {
    const known = digests.get(purpose) ?? new Map<string, Hex>()
    digests.set(purpose, known)
    return known
  }
  const sees = (purpose: string, position: string, digest: Hex) => {
    const before = of(purpose).get(position)
    if (before !== undefined && before !== digest)
      violations.push(`${purpose} ${position}: ${before} and ${digest}`)
    of(purpose).set(position, digest)
  }
  return {
    signed: sees,
    sent: (nonce, digest) => sees('transaction', String(nonce), digest),
    ended: (nonce) => void of('transaction').delete(String(nonce)),
    seen: (purpose) => of(purpose).size,
    violations,
  }
}
