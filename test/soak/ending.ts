// What a soak has open ends with it, also when it is told to stop: operators that stand still or
// were killed would leave theirs behind, and an L1 on a folder outlives whoever started it.
import { constants } from 'node:os'

/** How long all of it may take. */
const limitMs = 30_000

const open = new Set<() => Promise<void>>()

/**
 * Remembers how to end something for as long as it is open.
 *
 * @returns ends it, once however often it is called.
 */
export function toBeEnded(end: () => Promise<void>): () => Promise<void> {
  let ended: Promise<void> | undefined
  const endOnce = () => {
    ended ??= end().finally(() => open.delete(endOnce))
    return ended
  }
  open.add(endOnce)
  return endOnce
}

/** When this process is told to stop, it ends what is open first; told again, it goes at once. */
export function endWhenTold(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, async () => {
      const exit = () => process.exit(128 + constants.signals[signal])
      setTimeout(exit, limitMs)
      await Promise.allSettled([...open].map((end) => end()))
      exit()
    })
}
