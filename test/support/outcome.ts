import type { Hex } from '#primitives'
import type { ExecutedBlock, Validator } from '#records'

/** What executing a block gave, as an engine learns it and as a log keeps it. */
export type Outcome = {
  readonly appHash: Hex
  /** Of each transaction: `ok`, or the code of its refusal. */
  readonly results: readonly string[]
  readonly validatorUpdates: readonly Validator[]
}

/** The same of what an application says. */
export const toOutcome = ({ appHash, results, validatorUpdates }: ExecutedBlock): Outcome => ({
  appHash,
  results: results.map((result) => (result.ok ? 'ok' : result.reason)),
  validatorUpdates,
})
