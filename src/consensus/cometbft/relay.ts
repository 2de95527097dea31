import { randomInt } from 'node:crypto'
import { bytesInBatch, encodeBatch, maxBatchBytes, maxBatchTransactions } from './batch.ts'
import { type Limits, Waiting } from './waiting.ts'

/**
 * Most that waits to be passed on, and most of each age that may have to be once more: beyond that
 * the oldest are left to the proposals of this operator.
 */
const limits: Limits = { transactions: 65_536, bytes: 64 * 1024 * 1024 }

/**
 * A transaction that no block has after so many, or up to twice as many, is passed on once more.
 */
const expectedBlocks = 4

/** Most that are looked at after a block: CometBFT waits for it. */
const maxLooks = 512

/** A transaction that is to be passed on; not once more when it has been held already. */
type Passing = { readonly transaction: Uint8Array; readonly wasHeld: boolean }

/**
 * Admitted transactions on their way to the peers, where the application's mempool is the only one:
 * CometBFT asks for them and sends them to all its peers. What has been passed on, by this operator
 * or by the peer that it came from, goes on once more when it is in no block after a while: its
 * first operator may have few connections, or CometBFT ended with it in hand.
 */
export class Relay {
  readonly #waiting = new Waiting<Passing>(limits)
  /** Passed on lately, before that, and so long ago that it is to be looked at. */
  #newer = new Waiting<Passing>(limits)
  #older = new Waiting<Passing>(limits)
  #due = new Waiting<Passing>(limits)
  #blocks = 0
  /** Differs from that of the process before, too. */
  #sequence = randomInt(2 ** 47)

  /** Takes a transaction that was admitted. */
  add(transaction: Uint8Array): void {
    this.#waiting.push({ transaction, wasHeld: false })
  }

  /** Takes one that has been passed on: by this operator, or by the peer that sent it. */
  hold(transaction: Uint8Array): void {
    this.#newer.push({ transaction, wasHeld: true })
  }

  /**
   * Learns that there is a block more.
   *
   * @param waits - whether a transaction is still in the application's mempool.
   */
  committed(waits: (transaction: Uint8Array) => boolean): void {
    this.#blocks++
    if (this.#blocks >= expectedBlocks && this.#due.size === 0) this.#turn()
    for (let looks = 0; looks < maxLooks; looks++) {
      const passing = this.#due.take()
      if (!passing) return
      if (waits(passing.transaction)) this.#waiting.push(passing)
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
      if (!next.wasHeld) this.hold(next.transaction)
      transactions.push(next.transaction)
    }
    if (transactions.length === 0) return undefined
    return encodeBatch({ sequence: this.#sequence++, transactions })
  }

  #turn(): void {
    this.#blocks = 0
    this.#due = this.#older
    this.#older = this.#newer
    this.#newer = new Waiting(limits)
  }
}
