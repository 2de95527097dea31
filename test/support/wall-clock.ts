import type { Clock } from '#primitives'

/** The real time and its timers, for tests of rooms below the node's. */
export const wallClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
