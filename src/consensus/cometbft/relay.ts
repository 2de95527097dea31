import { Fifo } from './fifo.ts'

/**
 * Most that waits to be passed on; beyond that the oldest are left to the proposals of this
 * operator.
 */
const limits = { transactions: 65_536, bytes: 64 * 1024 * 1024 }

/**
 * Admitted transactions on their way to the peers, where the application's mempool is the only one:
 * CometBFT asks for them and sends them to all its peers, each once.
 */
export class Relay {
  #waiting = new Bounded()
  /** What peers have sent since the last block, and before it. */
  #newer = new Bounded()
  #older = new Bounded()

  /** Takes a transaction that was admitted. */
  add(transaction: Uint8Array): void {
    this.#waiting.add(transaction)
  }

  /**
   * Takes one that a peer has sent: to this operator's peers too, as a rule. It goes on if it is in
   * neither of the next two blocks, since its first operator may have few connections, or lost
   * some.
   */
  hold(transaction: Uint8Array): void {
    this.#newer.add(transaction)
  }

  /**
   * Learns that there is a block more.
   *
   * @param waits - whether a transaction is still in the application's mempool.
   */
  committed(waits: (transaction: Uint8Array) => boolean): void {
    for (const transaction of this.#older.take(Number.POSITIVE_INFINITY))
      if (waits(transaction)) this.add(transaction)
    this.#older = this.#newer
    this.#newer = new Bounded()
  }

  /** Hands out the oldest, at least one; `maxBytes` 0 is no limit. */
  take(maxBytes: number): Uint8Array[] {
    return this.#waiting.take(maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes)
  }
}

/** The newest within the limits. */
class Bounded {
  readonly #transactions = new Fifo<Uint8Array>()
  #bytes = 0

  add(transaction: Uint8Array): void {
    this.#transactions.add(transaction)
    this.#bytes += transaction.length
    while (this.#transactions.size > limits.transactions || this.#bytes > limits.bytes)
      this.#takeOne()
  }

  /** Takes out the oldest, at least one, up to so many bytes. */
  take(maxBytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    let room = maxBytes
    for (;;) {
      const next = this.#transactions.first
      if (!next || (taken.length > 0 && next.length > room)) return taken
      this.#takeOne()
      taken.push(next)
      room -= next.length
    }
  }

  #takeOne(): void {
    this.#bytes -= this.#transactions.take()?.length ?? 0
  }
}
