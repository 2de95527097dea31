import { randomBytes } from 'node:crypto'
import type { Clock, Rng } from '#primitives'

/** The wall clock and its timers. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Secure random bytes. */
export const systemRng: Rng = (length) => new Uint8Array(randomBytes(length))
