import type { Hex } from '#primitives'
import { type Ledger, l1EventsToBring } from '#protocol'
import { chainL1Digest, emptyL1Digest, type L1Event, type L1View, maxL1Events } from '#records'

/** L1 takes what the outbox holds so often. */
const recordEveryMs = 2_000

const zeroHash: Hex = `0x${'00'.repeat(32)}`

/**
 * An L1 that is always well: it records the whole outbox every two seconds, so that results are
 * settled. That the group signs checkpoints, and somebody submits them, is taken for granted.
 */
export class VirtualL1 {
  readonly #events: L1Event[] = []
  /** After so many events. */
  readonly #digests: Hex[] = [emptyL1Digest]
  #size = 0
  #recordedMs = 0

  /** Records what the outbox holds now, when it is time. */
  advance({ chain }: Ledger, timeMs: number): void {
    if (chain.outboxSize <= this.#size || timeMs < this.#recordedMs + recordEveryMs) return
    this.#size = chain.outboxSize
    this.#recordedMs = timeMs
    const event: L1Event = {
      kind: 'checkpoint-recorded',
      block: this.#events.length + 2,
      transaction: zeroHash,
      logIndex: 0,
      index: this.#events.length + 1,
      size: this.#size,
      root: zeroHash,
      submitter: `0x${'00'.repeat(20)}`,
      operator: 0,
      window: 0,
      timeS: Math.floor(timeMs / 1000),
    }
    this.#digests.push(chainL1Digest(this.#digests.at(-1) ?? emptyL1Digest, event))
    this.#events.push(event)
  }

  /** What anyone sees of it, at most so many events ahead of the agreed ones as may be brought. */
  viewAfter(agreed: number): L1View {
    const events = Math.min(this.#events.length, agreed + maxL1Events)
    return { block: events + 1, events, digest: this.#digests[events] ?? zeroHash, fork: false }
  }

  /** The next events that the ledger would take now. */
  toBring(ledger: Ledger): readonly L1Event[] {
    const agreed = ledger.chain.l1.events
    return l1EventsToBring(ledger, this.#events.slice(agreed, agreed + maxL1Events))
  }
}
