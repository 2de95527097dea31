import { type Application, isDuty, type Verdict } from '#records'

/**
 * What who submits a transaction to this operator hears; what is welcome is to be passed on. That
 * is what is new, and what an operator has to say though it waits already: it says it again where
 * the first time may have been lost.
 *
 * @param verdict - of the application, now.
 */
export const submissionVerdict = (
  application: Pick<Application, 'holdsTransaction'>,
  transaction: Uint8Array,
  verdict: Verdict,
): Verdict => {
  const isSaidAgain =
    !verdict.ok && isDuty(transaction) && application.holdsTransaction(transaction)
  return isSaidAgain ? { ok: true } : verdict
}
