import type { Clock, Hex } from '#primitives'
import type { ConsensusDecision, Hold } from '../engine/index.ts'
import { KeyFinder } from './validators.ts'

/** Clocks of honest operators differ by less; CometBFT's light client believes the same. */
const clockDriftMs = 10_000

/**
 * Tells a hold where its peers are, by the commits of blocks that were made after it began.
 *
 * A block's time is the median of the clocks that signed the block before. Where it lies beyond the
 * start, an honest one of these signed after the start, the block came later still, and so did
 * every precommit for it: whoever gave one stood at that height since, and had committed the height
 * before. No peer can make that up, since it takes the keys of over 2/3 of the power.
 *
 * @param isCatchingUp - whether blocks come that the network decided long ago. With them a clock
 * that lags behind would take old blocks for new ones.
 * @param own - the operator's address, and who is told the height when it has signed such a block:
 * it is silent here, so another process signs with its key. Nothing is heard of that block.
 * @returns to be told of every block.
 */
export function watchCommits(options: {
  readonly hold: Hold
  readonly consensusKeys: () => readonly Hex[]
  readonly isCatchingUp: () => Promise<boolean>
  readonly own: { readonly address: Hex; readonly onSigned: (height: number) => void }
  readonly clock: Clock
}): (decision: ConsensusDecision) => Promise<void> {
  const { hold, consensusKeys, isCatchingUp, own, clock } = options
  const startedMs = clock.nowMs()
  const finder = new KeyFinder()
  let before: { readonly height: number; readonly timeMs: number } | undefined
  return async ({ block, previousSigners = [] }) => {
    const signed = before
    before = block
    if (!hold.isHeld() || signed?.height !== block.height - 1) return
    const isFresh = signed.timeMs > startedMs + clockDriftMs
    // One from the future says that this clock lags behind, and then nothing is fresh for sure.
    if (!isFresh || block.timeMs > clock.nowMs() + clockDriftMs || (await isCatchingUp())) return
    if (previousSigners.includes(own.address)) return own.onSigned(signed.height)
    for (const address of previousSigners) {
      const key = finder.find(address, consensusKeys())
      if (key !== undefined) hold.heard(key, signed.height - 1, false)
    }
  }
}
