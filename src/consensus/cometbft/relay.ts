/**
 * Most that waits to be passed on; beyond that the oldest are left to the proposals of this
 * operator.
 */
const limits = { transactions: 65_536, bytes: 64 * 1024 * 1024 }

/**
 * Admitted transactions on their way to the peers, where the application's mempool is the only one:
 * CometBFT asks for them and sends them on, each once.
 */
export class Relay {
  #waiting: Uint8Array[] = []
  #bytes = 0

  /** Takes a transaction that was admitted. */
  add(transaction: Uint8Array): void {
    this.#waiting.push(transaction)
    this.#bytes += transaction.length
    while (this.#waiting.length > limits.transactions || this.#bytes > limits.bytes)
      this.#bytes -= this.#waiting.shift()?.length ?? 0
  }

  /** Hands out the oldest, at least one; `maxBytes` 0 is no limit. */
  take(maxBytes: number): Uint8Array[] {
    let room = maxBytes === 0 ? Number.POSITIVE_INFINITY : maxBytes
    const end = this.#waiting.findIndex(({ length }, place) => {
      room -= length
      return room < 0 && place > 0
    })
    const taken = this.#waiting.splice(0, end < 0 ? this.#waiting.length : end)
    this.#bytes -= taken.reduce((sum, { length }) => sum + length, 0)
    return taken
  }
}
