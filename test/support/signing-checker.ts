import type { Hex } from '#primitives'

/** Sees every signature that ever leaves an operator, in all its lives, and says what was wrong. */
export type SigningChecker = {
  /** Something was signed at a position that takes one digest for ever. */
  signed(purpose: string, position: string, digest: Hex): void
  /**
   * An L1 transaction left its account. The nonce is this call's until the call has ended; the same
   * call again, with other fees, is no second use.
   */
  sent(account: string, nonce: number, call: Hex): void
  /** L1 refused the call or forgot it, or it was given up: nobody holds it, the nonce is free. */
  ended(account: string, nonce: number): void
  /** Positions signed, by purpose. */
  seen(purpose: string): number
  /** Times that something else was signed at a position, by purpose. */
  doubled(purpose: string): number
  readonly violations: readonly string[]
}

/** A checker that has seen nothing. */
export function createSigningChecker(): SigningChecker {
  const digests = new Map<string, Map<string, Hex>>()
  const doubles = new Map<string, number>()
  const violations: string[] = []
  const of = (purpose: string) => {
    const known = digests.get(purpose) ?? new Map<string, Hex>()
    digests.set(purpose, known)
    return known
  }
  const sees = (purpose: string, position: string, digest: Hex) => {
    const before = of(purpose).get(position)
    of(purpose).set(position, digest)
    if (before === undefined || before === digest) return
    doubles.set(purpose, (doubles.get(purpose) ?? 0) + 1)
    violations.push(`${purpose} ${position}: ${before} and ${digest}`)
  }
  return {
    signed: sees,
    sent: (account, nonce, call) => sees('transaction', `${account} ${nonce}`, call),
    ended: (account, nonce) => void of('transaction').delete(`${account} ${nonce}`),
    seen: (purpose) => of(purpose).size,
    doubled: (purpose) => doubles.get(purpose) ?? 0,
    violations,
  }
}
