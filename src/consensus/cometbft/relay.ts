import { randomInt } from 'node:crypto'
import { bytesInBatch, encodeBatch, maxBatchBytes } from './batch.ts'
import { Fifo } from './fifo.ts'

/**
 * Most that waits to be passed on; beyond that the oldest are left to the proposals of this
 * operator.
 */
const limits = { transactions: 65_536, bytes: 64 * 1024 * 1024 }

/** Blocks within which a transaction that has reached the operators is expected in one. */
const expectedBlocks = 4

/** A transaction that is to be passed on; not once more when it has been held already. */
type Passing = { readonly transaction: Uint8Array; readonly wasHeld: boolean }

/**
 * Admitted transactions on their way to the peers, where the application's mempool is the only one:
 * CometBFT asks for them and sends them to all its peers. What has been passed on, by this operator
 * or by the peer that it came from, goes on once more when it is in no block after a while: its
 * first operator may have few connections, or CometBFT ended with it in hand.
 */
export class Relay {
  readonly #waiting = new Bounded()
  /** Passed on lately, and before that. */
  #newer = new Bounded()
  #older = new Bounded()
  #blocks = 0
  /** Differs from that of the process before, too. */
  #sequence = randomInt(2 ** 47)

  /** Takes a transaction that was admitted. */
  add(transaction: Uint8Array): void {
    this.#waiting.add({ transaction, wasHeld: false })
  }

  /** Takes one that a peer has sent: to this operator's peers too, as a rule. */
  hold(transaction: Uint8Array): void {
    this.#newer.add({ transaction, wasHeld: true })
  }

  /**
   * Learns that there is a block more.
   *
   * @param waits - whether a transaction is still in the application's mempool.
   */
  committed(waits: (transaction: Uint8Array) => boolean): void {
    if (++this.#blocks % expectedBlocks !== 0) return
    for (const passing of this.#older.take(Number.POSITIVE_INFINITY))
      if (waits(passing.transaction)) this.#waiting.add(passing)
    this.#older = this.#newer
    this.#newer = new Bounded()
  }

  /** Hands out a batch of the oldest, at least one, of a batch's size at most; or nothing. */
  take(): Uint8Array | undefined {
    const taken = this.#waiting.take(maxBatchBytes)
    if (taken.length === 0) return undefined
    for (const { transaction, wasHeld } of taken) if (!wasHeld) this.hold(transaction)
    const transactions = taken.map(({ transaction }) => transaction)
    return encodeBatch({ sequence: this.#sequence++, transactions })
  }
}

/** The newest within the limits. */
class Bounded {
  readonly #transactions = new Fifo<Passing>()
  #bytes = 0

  add(passing: Passing): void {
    this.#transactions.add(passing)
    this.#bytes += bytesInBatch(passing.transaction)
    while (this.#transactions.size > limits.transactions || this.#bytes > limits.bytes)
      this.#takeOne()
  }

  /** Takes out the oldest, at least one, up to so many bytes in a batch. */
  take(maxBytes: number): Passing[] {
    const taken: Passing[] = []
    let room = maxBytes
    for (;;) {
      const next = this.#transactions.first
      if (!next) return taken
      room -= bytesInBatch(next.transaction)
      if (taken.length > 0 && room < 0) return taken
      this.#takeOne()
      taken.push(next)
    }
  }

  #takeOne(): void {
    const passing = this.#transactions.take()
    if (passing) this.#bytes -= bytesInBatch(passing.transaction)
  }
}
