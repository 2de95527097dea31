import type { Operator, Statement } from '#records'
import { isNonceCommitment } from '#threshold'
import { maxNonces } from '../codecs.ts'
import { type Ledger, noncePoolOf } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'

/**
 * Adds nonce commitments to an operator's pool. Their indices go on where the last ones ended, so
 * that none is published twice; what the ledger knows already is passed over.
 */
export function publishNonces(
  ledger: Ledger,
  operator: Operator,
  statement: Statement & { kind: 'nonces' },
): Outcome {
  const pool = noncePoolOf(ledger, operator.id)
  const fresh = statement.commitments.filter(({ index }) => index >= pool.next)
  if (fresh.length === 0) return refuse('AlreadyHeld')
  if (fresh.some(({ index }, place) => index !== pool.next + place))
    return refuse('NoncesOutOfOrder', `the next index is ${pool.next}`)
  const unused = [...pool.unused, ...fresh]
  if (unused.length > maxNonces) return refuse('TooManyNonces', `at most ${maxNonces} unused ones`)
  // Last, because it is by far the most expensive.
  if (!fresh.every(isNonceCommitment)) return refuse('BadNonce', 'not two points of the curve')
  const grown = { next: pool.next + fresh.length, unused }
  return accept({ ...ledger, nonces: ledger.nonces.set(String(operator.id), grown) })
}

/** The ledger in which none of the nonces that an operator has published can be used any more. */
export function voidNonces(ledger: Ledger, operator: Operator): Ledger {
  const { next } = noncePoolOf(ledger, operator.id)
  return { ...ledger, nonces: ledger.nonces.set(String(operator.id), { next, unused: [] }) }
}
