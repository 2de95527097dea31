import type { Clock, Logger } from '#primitives'
import {
  CometDiedError,
  type CometProgram,
  type CometRun,
  endLeftOver,
  launchComet,
} from './process.ts'

/** So many ends within so long are one too many: whatever is wrong will not mend itself. */
const maxEnds = 5
const withinMs = 60_000
/** Before it is started again; doubles with each end that is not forgotten yet. */
const firstPauseMs = 250
/** Between two looks whether it has come up. */
const lookMs = 25
/**
 * Between two looks how long its log is: it grows by a few megabytes meanwhile, at the very most.
 */
const lookAtLogMs = 1_000

/** How to keep a CometBFT running. */
export type SupervisorOptions = {
  readonly program: CometProgram
  /** Whether it serves. */
  readonly isUp: () => Promise<boolean>
  /**
   * Asked when it has ended by itself: rejects with the reason, where it is of no use to start it.
   */
  readonly onEnded?: () => Promise<void>
  /** Told once, when it ends again and again, or cannot be started: it stays down then. */
  readonly onFailure: (error: unknown) => void
  readonly clock: Clock
  readonly logger: Logger
}

/** Keeps one CometBFT running, and starts it again when it ends by itself. */
export class CometSupervisor {
  readonly #options: SupervisorOptions
  readonly #stopped = Promise.withResolvers<void>()
  #isStopping = false
  #run: CometRun | undefined
  #watching: Promise<void> = Promise.resolve()

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** Process id of the CometBFT that runs; undefined while none does. */
  get pid(): number | undefined {
    return this.#run?.pid
  }

  /**
   * Ends a CometBFT that was left over, and starts one; returns when it serves, or when it was
   * stopped.
   *
   * @throws CometDiedError when it ends before it has served at all; what `onEnded` rejects with.
   */
  async start(): Promise<void> {
    const { program, logger } = this.#options
    const left = await endLeftOver(program.home)
    if (left !== undefined)
      logger.warn('ended the CometBFT that a killed process had left', { pid: left })
    if (this.#isStopping) return
    const run = await this.#launch()
    const words = await Promise.race([run.ended, this.#whenUp(run)])
    if (this.#isStopping) return
    if (words !== undefined) {
      await this.#options.onEnded?.()
      if (this.#isStopping) return
      throw this.#died(words)
    }
    this.#watching = this.#watch(run)
    this.#watching.catch(this.#options.onFailure)
  }

  /** Ends it for good, and returns when it has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#stopped.resolve()
    await this.#run?.stop()
    await this.#watching.catch(() => {}) // was told to `onFailure`
  }

  async #watch(first: CometRun): Promise<void> {
    const { clock, logger } = this.#options
    let run = first
    let ends: readonly number[] = []
    for (;;) {
      const words = await run.ended
      if (this.#isStopping) return
      await this.#options.onEnded?.()
      if (this.#isStopping) return
      const nowMs = clock.nowMs()
      ends = [...ends.filter((endMs) => nowMs - endMs < withinMs), nowMs]
      if (ends.length > maxEnds) throw this.#died(words)
      logger.error('CometBFT ended by itself: it is started again', { code: 'CometDied', words })
      await this.#pause(firstPauseMs * 2 ** (ends.length - 1))
      if (this.#isStopping) return
      run = await this.#launch()
    }
  }

  /** Ends with the time, or when it is stopped. */
  async #pause(delayMs: number): Promise<void> {
    const over = Promise.withResolvers<void>()
    const cancel = this.#options.clock.after(delayMs, over.resolve)
    await Promise.race([over.promise, this.#stopped.promise])
    cancel()
  }

  /** Whoever stops meanwhile ends this one too. */
  async #launch(): Promise<CometRun> {
    const run = await launchComet(this.#options.program)
    this.#run = run
    this.#keepLogShort(run)
    if (this.#isStopping) await run.stop()
    return run
  }

  /** Strangers who reach its port make it write: they are not to fill the disk. */
  #keepLogShort(run: CometRun): void {
    const { clock, logger } = this.#options
    const look = () => {
      try {
        run.trimLog()
      } catch (error) {
        logger.warn('the log of CometBFT cannot be put aside', { error })
      }
      cancel = clock.after(lookAtLogMs, look)
    }
    let cancel = clock.after(lookAtLogMs, look)
    void run.ended.then(() => cancel())
  }

  /** Resolves when it serves; never, when it ends before. */
  async #whenUp(run: CometRun): Promise<undefined> {
    const { isUp, clock } = this.#options
    let hasEnded = false
    void run.ended.then(() => {
      hasEnded = true
    })
    while (!(await isUp())) {
      if (hasEnded) await never
      await wait(clock, lookMs)
    }
  }

  #died(words: string): CometDiedError {
    const { home } = this.#options.program
    return new CometDiedError(`CometBFT ${words}`, { home })
  }
}

const never = new Promise<never>(() => {})

const wait = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => void clock.after(delayMs, resolve))
