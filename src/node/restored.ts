import type { CometHold } from '#consensus'
import type { Clock, Hex, Logger } from '#primitives'
import type { Guard } from './guard/guard.ts'
import { type HoldView, holdTarget, mayEndHold } from './guard/hold.ts'

/** What an operator whose folder was restored waits with, until it may sign. */
export type RestoredHold = CometHold & {
  /** Looks whether it may end, from now on; `onEnd` is told once, when it has, durably. */
  start(onEnd: () => void, onFailure: (error: unknown) => void): void
  stop(): void
}

/** Between two looks: as often as peers are asked. */
const lookMs = 300

/** Watches peers' heights for a guard that is held; does nothing for one that is not. */
export function createRestoredHold(options: {
  readonly guard: Pick<Guard, 'isHeld' | 'endHold'>
  /** Voting power by consensus key, as committed. */
  readonly powers: () => ReadonlyMap<Hex, bigint>
  readonly self: Hex
  readonly height: () => number
  readonly clock: Clock
  readonly logger: Logger
}): RestoredHold {
  const { guard, powers, self, height, clock, logger } = options
  const heard = new Map<Hex, number>()
  const held = new Set<Hex>()
  let target: number | undefined
  let highest = height()
  let movedMs = clock.nowMs()
  let cancel = () => {}
  const ended = Promise.withResolvers<void>()
  const move = () => {
    movedMs = clock.nowMs()
  }
  const view = (): HoldView => {
    if (height() > highest) move()
    highest = Math.max(highest, height())
    const quietMs = clock.nowMs() - movedMs
    return { powers: powers(), self, height: height(), heard, held, target, quietMs }
  }
  const end = async (onEnd: () => void) => {
    await guard.endHold(height())
    logger.info('the restored operator signs again', { above: height() })
    ended.resolve()
    onEnd()
  }
  const look = (onEnd: () => void, onFailure: (error: unknown) => void) => {
    target = holdTarget(view())
    if (mayEndHold(view())) void end(onEnd).catch(onFailure)
    else cancel = clock.after(lookMs, () => look(onEnd, onFailure))
  }
  return {
    isHeld: () => guard.isHeld(),
    ended: ended.promise,
    heard(from, committed, isHeld) {
      if (!guard.isHeld() || !powers().has(from) || from === self) return
      if (committed > (heard.get(from) ?? -1)) move()
      heard.set(from, committed)
      if (isHeld) held.add(from)
      else held.delete(from)
    },
    start(onEnd, onFailure) {
      if (!guard.isHeld()) return onEnd()
      logger.warn(
        'restored from a backup: nothing is signed until peers with over 2/3 of the power have ' +
          'said their height, and this operator is two blocks beyond it',
        { height: height() },
      )
      look(onEnd, onFailure)
    },
    stop: () => cancel(),
  }
}
