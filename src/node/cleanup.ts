import type { Logger } from '#primitives'

/** What must be ended of what was started, last things first. */
export type Cleanup = {
  readonly add: (end: () => void | Promise<void>) => void
  /**
   * Ends everything, once; what fails does not keep the rest from ending.
   *
   * @throws the first failure, when all is done; the others are logged.
   */
  readonly run: () => Promise<void>
}

/** Nothing to end yet. */
export function createCleanup(logger: Logger): Cleanup {
  const ends: (() => void | Promise<void>)[] = []
  const failures: unknown[] = []
  let ended: Promise<void> | undefined
  const endAll = async () => {
    for (const end of ends.toReversed())
      try {
        await end()
      } catch (error) {
        logger.error('a part did not end well', { error })
        failures.push(error)
      }
    if (failures.length > 0) throw failures[0]
  }
  return {
    add: (end) => {
      ends.push(end)
    },
    run: () => {
      ended ??= endAll()
      return ended
    },
  }
}
