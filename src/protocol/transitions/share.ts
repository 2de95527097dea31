import type { Operator, Statement } from '#records'
import type { Ledger } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'

/** Takes a signer's share for the open attempt; it is judged when the session is complete. */
export function share(
  ledger: Ledger,
  operator: Operator,
  statement: Statement & { kind: 'share' },
): Outcome {
  const key = String(statement.checkpoint)
  const session = ledger.sessions.get(key)
  if (!session || session.attempt !== statement.attempt) return refuse('NoSuchSession')
  const signer = session.signers.find((one) => one.operator === operator.id)
  if (!signer) return refuse('NotASigner')
  if (signer.share !== undefined) return refuse('AlreadyHeld')
  const signers = session.signers.map((one) =>
    one === signer ? { ...signer, share: statement.share } : one,
  )
  return accept({ ...ledger, sessions: ledger.sessions.set(key, { ...session, signers }) })
}
