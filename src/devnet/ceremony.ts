import { DomainError, type Rng } from '#primitives'
import type { OperatorId } from '#records'
import {
  type DkgOutcome,
  dkgRound1,
  dkgRound2,
  dkgRound3,
  isUsableGroupKey,
  type KeyPackage,
  thresholdFor,
} from '#threshold'

/** Runs of key generation before giving up: each fails once in about 2^127 by the key itself. */
const maxRuns = 3

/**
 * Key generation between operators in one process: each runs its own machine, and what they
 * exchange travels between them as it would over a network.
 *
 * @returns one key per operator, in their order; the group key is one that L1 can verify.
 * @throws CeremonyError when an operator cheats.
 */
export function generateGroupKey(
  operators: readonly OperatorId[],
  rng: Rng,
): readonly KeyPackage[] {
  for (let run = 0; run < maxRuns; run++) {
    const keys = runCeremony(operators, rng)
    if (keys[0] && isUsableGroupKey(keys[0].groupKey)) return keys
  }
  throw new CeremonyError('no usable group key', { reason: 'UnusableGroupKey', operators })
}

function runCeremony(operators: readonly OperatorId[], rng: Rng): readonly KeyPackage[] {
  const threshold = thresholdFor(operators.length)
  const first = operators.map((operator) => dkgRound1({ operator, operators, threshold }, rng))
  const broadcasts = first.map(({ broadcast }) => broadcast)
  const second = first.map(({ state, broadcast }) =>
    taken(
      dkgRound2(
        state,
        broadcasts.filter((one) => one !== broadcast),
      ),
    ),
  )
  const deals = second.flatMap((one) => one.deals)
  return second.map(({ state }) => taken(dkgRound3(state, deals)).key)
}

function taken<Result>(outcome: DkgOutcome<Result>): Result {
  if (outcome.ok) return outcome
  const { reason, operators } = outcome
  throw new CeremonyError(`key generation failed: ${reason}`, { reason, operators })
}

/** Key generation cannot go on, and through whom. */
export class CeremonyError extends DomainError<
  'KeyGenerationFailed',
  { reason: string; operators: readonly OperatorId[] }
> {
  override readonly code = 'KeyGenerationFailed'
}
