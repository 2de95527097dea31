import type { Clock, Logger } from '#primitives'

/** Work that is done over and over. */
export type Loop = {
  /** Lets the turn in hand end, and starts no other. */
  stop(): Promise<void>
}

/**
 * Runs `turn` every so often, never twice at a time: a turn that takes longer delays the next. A
 * turn that throws does not end the loop; the first of several in a row is logged.
 *
 * @param everyMs - from the begin of one turn to the begin of the next.
 */
export function startLoop(
  clock: Clock,
  everyMs: number,
  turn: () => Promise<void>,
  logger: Logger,
): Loop {
  let isStopped = false
  let isFailing = false
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  const attempt = async (): Promise<void> => {
    try {
      await turn()
      isFailing = false
    } catch (error) {
      if (!isFailing) logger.warn('an observation failed', { error: String(error) })
      isFailing = true
    }
  }
  const run = (): void => {
    const startMs = clock.nowMs()
    running = attempt().then(() => {
      if (isStopped) return
      cancel = clock.after(Math.max(0, startMs + everyMs - clock.nowMs()), run)
    })
  }
  run()
  return {
    async stop() {
      isStopped = true
      cancel()
      await running
    },
  }
}
