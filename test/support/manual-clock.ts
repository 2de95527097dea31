import type { Clock } from '#primitives'

type Timer = { readonly dueMs: number; readonly run: () => void }

/** A clock that stands still until it is moved; timers run as it passes them. */
export class ManualClock implements Clock {
  #nowMs: number
  readonly #timers = new Set<Timer>()

  constructor(startMs = 1_000_000) {
    this.#nowMs = startMs
  }

  nowMs = (): number => this.#nowMs

  after = (delayMs: number, run: () => void): (() => void) => {
    const timer = { dueMs: this.#nowMs + delayMs, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Moves on, running each timer at its time. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)[0]
      if (!next || next.dueMs > endMs) break
      this.#timers.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.run()
    }
    this.#nowMs = endMs
  }

  /** Jumps ahead as a busy machine does: timers that were passed run late. */
  stall(byMs: number): void {
    this.#nowMs += byMs
    this.advance(0)
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#timers.size
  }
}

/** A logger for tests that are not about what is logged. */
export const silentLogger = { debug() {}, info() {}, warn() {}, error() {} }
