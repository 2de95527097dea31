import type { Logger } from '#primitives'
import type { OperatorId } from '#records'
import type { Devnet } from './run.ts'

/** How long chaos lets an operator run, and how long it keeps it down. */
const upMs = 4_000
const downMs = 3_000

/** Stops and starts one operator over and over; the result ends that, with the operator up. */
export function startRestarts(
  devnet: Devnet,
  operator: OperatorId,
  logger: Logger,
): () => Promise<void> {
  const ended = Promise.withResolvers<void>()
  let isEnding = false
  const pause = (delayMs: number) =>
    Promise.race([new Promise((resolve) => setTimeout(resolve, delayMs)), ended.promise])
  const loop = (async () => {
    while (!isEnding) {
      await pause(upMs)
      if (isEnding) return
      await devnet.stopOperator(operator)
      logger.info('operator stopped by chaos', { operator })
      await pause(downMs)
      await devnet.startOperator(operator)
      logger.info('operator started again', { operator })
    }
  })()
  return async () => {
    isEnding = true
    ended.resolve()
    await loop
  }
}
