import type { Clock, Logger } from '#primitives'
import type { OperatorId } from '#records'
import type { Devnet } from './run.ts'
import { waitAtMost } from './wait.ts'

/** How long chaos lets an operator run, and how long it keeps it down. */
const upMs = 4_000
const downMs = 3_000

/** What restarting operators needs from its surroundings. */
export type RestartOptions = {
  readonly clock: Clock
  readonly logger: Logger
  /** Told once when the operator could not be stopped or started; nothing is tried after that. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Stops and starts one operator over and over.
 *
 * @returns ends that; resolves with the operator up, or when it could not be brought up. Never
 * rejects.
 */
export function startRestarts(
  devnet: Pick<Devnet, 'stopOperator' | 'startOperator'>,
  operator: OperatorId,
  { clock, logger, onFailure }: RestartOptions,
): () => Promise<void> {
  const ended = Promise.withResolvers<void>()
  let isEnding = false
  const restartUntilEnd = async () => {
    for (;;) {
      await waitAtMost(clock, upMs, [ended.promise])
      if (isEnding) return
      await devnet.stopOperator(operator)
      logger.info('operator stopped by chaos', { operator })
      await waitAtMost(clock, downMs, [ended.promise])
      await devnet.startOperator(operator)
      logger.info('operator started again', { operator })
    }
  }
  const over = restartUntilEnd().catch(onFailure)
  return async () => {
    isEnding = true
    ended.resolve()
    await over
  }
}
