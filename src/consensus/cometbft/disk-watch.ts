import type { Clock } from '#primitives'

/** Without a block for so long, CometBFT may be unable to write one: ten heartbeats. */
const stallMs = 10_000

/** Looks at the disk when no block comes. */
export type DiskWatch = {
  /** A block has come. */
  decided(): void
  stop(): void
}

/**
 * A CometBFT that cannot write signs nothing, and says so in its log alone, which may be on the
 * very disk that is full: so whenever no block has come for a while, the disk is tried.
 *
 * @param tryDisk - rejects with what is wrong with it.
 * @param onFailure - told once.
 */
export function watchDisk(options: {
  readonly tryDisk: () => Promise<void>
  readonly onFailure: (error: unknown) => void
  readonly clock: Clock
}): DiskWatch {
  const { tryDisk, onFailure, clock } = options
  let hasEnded = false
  let cancel = () => {}
  const wait = () => {
    cancel()
    if (!hasEnded) cancel = clock.after(stallMs, look)
  }
  const stop = () => {
    hasEnded = true
    cancel()
  }
  const look = () => {
    tryDisk().then(wait, (error: unknown) => {
      if (hasEnded) return
      stop()
      onFailure(error)
    })
  }
  wait()
  return { decided: wait, stop }
}
