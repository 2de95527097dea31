import { randomInt } from 'node:crypto'
import { bytesInBatch, encodeBatch, maxBatchBytes, maxBatchTransactions } from './batch.ts'
import { type Limits, Waiting } from './waiting.ts'

/**
 * Most that waits to be passed on, and most of each age that may have to be once more: beyond that
 * the oldest are left to the proposals of this operator.
 */
const limits: Limits = { transactions: 65_536, bytes: 64 * 1024 * 1024 }

/**
 * Blocks after which a transaction that no block has is passed on once more. What this operator has
 * admitted goes on until a block has it, after twice as many blocks each time: without a vote, it
 * has no proposals to put it into.
 */
const firstGap = 4
const gaps = Array.from({ length: 8 }, (_, passes) => firstGap * 2 ** passes)

/** Most that are looked at after a block: CometBFT waits for it. */
const maxLooks = 512

/** A transaction that is to be passed on. */
type Passing = {
  readonly transaction: Uint8Array
  /** How often it was passed on; undefined: it came from a peer, and this is the last time. */
  readonly passes: number | undefined
}

/** One that was, and the block after which it is looked at. */
type Passed = Passing & { readonly dueBlock: number }

/**
 * Admitted transactions on their way to the peers, where the application's mempool is the only one:
 * CometBFT asks for them and sends them to all its peers. What no block has after a while goes on
 * once more: CometBFT may have ended with it in hand, peers may have had no room for it, or the
 * operator that it comes from may have few connections.
 */
export class Relay {
  readonly #waiting = new Waiting<Passing>(limits)
  /** By how often each was passed on; in each the next that is due is the first. */
  readonly #own = gaps.map(() => new Waiting<Passed>(limits))
  readonly #ofPeers = new Waiting<Passed>(limits)
  #block = 0
  /** Differs from that of the process before, too. */
  #sequence = randomInt(2 ** 47)

  /** Takes a transaction that was admitted. */
  add(transaction: Uint8Array): void {
    this.#waiting.push({ transaction, passes: 0 })
  }

  /** Takes one that a peer has sent: to this operator's peers too, as a rule. */
  hold(transaction: Uint8Array): void {
    const dueBlock = this.#block + firstGap
    this.#ofPeers.push({ transaction, passes: undefined, dueBlock })
  }

  /**
   * Learns that there is a block more.
   *
   * @param waits - whether a transaction is still in the application's mempool.
   */
  committed(waits: (transaction: Uint8Array) => boolean): void {
    this.#block++
    let looks = 0
    for (const passed of [...this.#own, this.#ofPeers])
      while (looks < maxLooks && (passed.first?.dueBlock ?? Infinity) <= this.#block) {
        const passing = passed.take()
        looks++
        if (passing && waits(passing.transaction)) this.#waiting.push(passing)
      }
  }

  /** Hands out a batch of the oldest, within its bounds, or nothing. */
  take(): Uint8Array | undefined {
    const transactions: Uint8Array[] = []
    let room = maxBatchBytes
    for (;;) {
      const next = this.#waiting.first
      if (!next || transactions.length === maxBatchTransactions) break
      room -= bytesInBatch(next.transaction)
      if (room < 0 && transactions.length > 0) break
      this.#waiting.take()
      this.#passed(next)
      transactions.push(next.transaction)
    }
    if (transactions.length === 0) return undefined
    return encodeBatch({ sequence: this.#sequence++, transactions })
  }

  #passed({ transaction, passes }: Passing): void {
    if (passes === undefined) return
    const age = Math.min(passes, gaps.length - 1)
    const dueBlock = this.#block + (gaps[age] as number)
    this.#own[age]?.push({ transaction, passes: passes + 1, dueBlock })
  }
}
