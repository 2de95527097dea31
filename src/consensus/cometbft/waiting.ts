import { Fifo } from './fifo.ts'

/** How much may wait: in number, and in bytes of transactions. */
export type Limits = { readonly transactions: number; readonly bytes: number }

/**
 * Transactions that wait, first in, first out, with what goes beside each; counted in bytes too.
 */
export class Waiting<Item extends { readonly transaction: Uint8Array }> {
  readonly #limits: Limits
  readonly #fifo = new Fifo<Item>()
  #bytes = 0

  constructor(bounds: Limits) {
    this.#limits = bounds
  }

  get size(): number {
    return this.#fifo.size
  }

  /** The oldest, which stays; undefined when nothing waits. */
  get first(): Item | undefined {
    return this.#fifo.first
  }

  hasRoomFor({ length }: Uint8Array): boolean {
    const { transactions, bytes } = this.#limits
    return this.#fifo.size < transactions && this.#bytes + length <= bytes
  }

  /** Takes the newest in if there is room for it. */
  add(item: Item): boolean {
    if (!this.hasRoomFor(item.transaction)) return false
    this.#fifo.add(item)
    this.#bytes += item.transaction.length
    return true
  }

  /** Takes the newest in; for want of room the oldest go. */
  push(item: Item): void {
    while (!this.add(item)) if (!this.take()) return
  }

  /** Takes the oldest out; undefined when nothing waits. */
  take(): Item | undefined {
    const item = this.#fifo.take()
    this.#bytes -= item?.transaction.length ?? 0
    return item
  }
}
