import { setTimeout as startTimer } from 'node:timers'
import type { Clock, Logger } from '#primitives'

/** A clock that a test moves: timers wait until they are fired. */
export type ManualClock = Clock & {
  /** Waits until a timer is set. */
  armed(): Promise<void>
  /** Fires the oldest timer, as soon as there is one, and waits until the next is set. */
  step(): Promise<void>
  /** Like `step`, when no timer will follow. */
  fire(): Promise<void>
  setNowMs(nowMs: number): void
}

/** A clock without a life of its own, at the real time until told otherwise. */
export function manualClock(): ManualClock {
  const timers: (() => void)[] = []
  const waiting: (() => void)[] = []
  let now: number | undefined
  const armed = async () => {
    if (timers.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  const fire = async () => {
    await armed()
    timers.shift()?.()
  }
  return {
    nowMs: () => now ?? Date.now(),
    after: (_delayMs, run) => {
      timers.push(run)
      for (const wake of waiting.splice(0)) wake()
      return () => void timers.splice(timers.indexOf(run), 1)
    },
    armed,
    fire,
    step: async () => {
      await fire()
      await armed()
    },
    setNowMs: (nowMs) => {
      now = nowMs
    },
  }
}

/** The real time, with every pause cut to a hundredth. */
export const hastyClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = startTimer(run, delayMs / 100)
    return () => clearTimeout(timer)
  },
}

/** A logger that keeps what it is told. */
export function keepingLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = []
  const keep = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
  return {
    lines,
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  }
}
