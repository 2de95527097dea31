import type { Operator, Statement } from '#records'
import { isNonceCommitment } from '#threshold'
import { maxNonces } from '../codecs.ts'
import { type Ledger, noncePoolOf } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'

/** Adds nonce commitments to an operator's pool; indices only rise, so none is published twice. */
export function publishNonces(
  ledger: Ledger,
  operator: Operator,
  statement: Statement & { kind: 'nonces' },
): Outcome {
  const pool = noncePoolOf(ledger, operator.id)
  const fresh = statement.commitments.filter(({ index }) => index >= pool.next)
  if (fresh.length === 0) return refuse('AlreadyHeld')
  if (!fresh.every(isNonceCommitment)) return refuse('BadNonce', 'not two points of the curve')
  let next = pool.next
  for (const { index } of fresh) {
    if (index < next) return refuse('NoncesOutOfOrder')
    next = index + 1
  }
  const unused = [...pool.unused, ...fresh]
  if (unused.length > maxNonces) return refuse('TooManyNonces', `at most ${maxNonces} unused ones`)
  return accept({ ...ledger, nonces: ledger.nonces.set(String(operator.id), { next, unused }) })
}
