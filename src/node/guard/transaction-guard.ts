import { DomainError, type Hex, type Logger } from '#primitives'
import type { Guard } from './guard.ts'
import type { GuardRefusal } from './judge.ts'

/** What the guard of L1 transactions needs. */
export type TransactionGuardOptions = {
  readonly guard: Pick<Guard, 'transactions'>
  /** The account's nonce after all that L1 holds of it, mined or not: its `pending` count. */
  readonly pendingCount: () => Promise<number>
  readonly nowMs: () => number
  /** How long a transaction that L1 holds may stay unmined before its nonce is given up. */
  readonly patienceMs: number
  readonly logger: Logger
}

/**
 * The guard as an L1 account asks it, before each signature. A nonce belongs to one call until that
 * call has ended. Calls of this process end by `release`, which the account calls. A call that an
 * earlier process left over is nobody's: its nonce goes to another call when it is the next that L1
 * needs and L1 holds no transaction for it, or when L1 has not mined it for `patienceMs`. Either
 * way L1 mines one transaction a nonce, and the call that did not get it is displaced to the next.
 *
 * @returns what throws `NonceHeldError` when the nonce is another call's.
 */
export function transactionGuard(
  options: TransactionGuardOptions,
): (nonce: number, digest: Hex) => Promise<void> {
  const { guard, pendingCount, nowMs, patienceMs, logger } = options
  const { transactions } = guard
  /** When a nonce was first wanted by another call. */
  const wantedMs = new Map<number, number>()
  const isGivenUp = async (nonce: number) => {
    const sinceMs = wantedMs.get(nonce) ?? nowMs()
    wantedMs.set(nonce, sinceMs)
    return nowMs() - sinceMs >= patienceMs || (await pendingCount()) === nonce
  }
  return async (nonce, digest) => {
    if (transactions.isLeftOver(nonce, digest) && (await isGivenUp(nonce))) {
      logger.warn('an L1 nonce of an earlier process goes to another call', { nonce })
      wantedMs.delete(nonce)
      await transactions.release(nonce)
    }
    const permit = await transactions.admit(nonce, digest)
    if (!permit.ok) {
      const { reason } = permit
      throw new NonceHeldError(`nonce ${nonce}: ${reason}`, { nonce, reason })
    }
  }
}

/** The sign guard keeps an L1 nonce for another call. */
export class NonceHeldError extends DomainError<
  'NonceHeld',
  { nonce: number; reason: GuardRefusal }
> {
  override readonly code = 'NonceHeld'
}
