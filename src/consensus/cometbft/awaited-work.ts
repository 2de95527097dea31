import type { Clock } from '#primitives'
import type { CometTiming } from './program/index.ts'

/** How long a proposer waits for something to do. */
export type Patience = {
  readonly clock: Clock
  /** At most, in milliseconds; 0: not at all. */
  readonly limitMs: number
}

/**
 * How long a proposer with nothing to do may wait: until the heartbeat, and not so long that those
 * who wait for its proposal give it up.
 */
export const idleWaitMs = ({
  heartbeatMs,
  commitMs,
  proposeMs,
}: Pick<CometTiming, 'heartbeatMs' | 'commitMs' | 'proposeMs'>): number =>
  Math.max(0, Math.min(heartbeatMs - commitMs, Math.floor(proposeMs / 2)))

/**
 * The pace of a chain whose mempool is the application's. CometBFT never learns of it that there is
 * work, and asks for the next proposal at once; so the proposer answers when it has something to
 * propose. One proposal at a time is waited for.
 */
export class AwaitedWork {
  readonly #patience: Patience
  readonly #workDueMs: () => number | undefined
  #end: () => void = () => {}
  /** Of the newest proposal. */
  #height = 0

  /** @param workDueMs - as `Application` has it. */
  constructor(patience: Patience, workDueMs: () => number | undefined) {
    this.#patience = patience
    this.#workDueMs = workDueMs
  }

  /** There was a proposal for a height: if there is another, the one has failed. */
  proposed(height: number): void {
    this.#height = height
  }

  /**
   * Resolves when there is work, or the wait's limit is over; at once for a height that has had a
   * proposal.
   */
  async before(height: number): Promise<void> {
    const waitMs = height === this.#height ? 0 : this.#waitMs()
    this.#height = height
    if (waitMs <= 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#patience.clock.after(waitMs, resolve)
    this.#end = resolve
    await promise
    cancel()
  }

  /** Ends the wait: there is work, or nobody who asks for it any more. */
  end(): void {
    this.#end()
  }

  #waitMs(): number {
    const { clock, limitMs } = this.#patience
    const dueMs = this.#workDueMs()
    return dueMs === undefined ? limitMs : Math.min(limitMs, dueMs - clock.nowMs())
  }
}
