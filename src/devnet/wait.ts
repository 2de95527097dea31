import type { Clock } from '#primitives'

/**
 * Waits until the time is over or one of the events is there; none of its timers outlives it.
 *
 * @param delayMs - undefined: only the events end it.
 * @throws what an event rejects with.
 */
export async function waitAtMost(
  clock: Clock,
  delayMs: number | undefined,
  events: readonly Promise<unknown>[],
): Promise<void> {
  const timeOver = Promise.withResolvers<void>()
  const cancel = delayMs === undefined ? () => {} : clock.after(delayMs, timeOver.resolve)
  try {
    await Promise.race([timeOver.promise, ...events])
  } finally {
    cancel()
  }
}
