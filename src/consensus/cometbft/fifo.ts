/** What waits its turn, first in, first out: each step costs the same however much waits. */
export class Fifo<Item> {
  #first: Link<Item> | undefined
  #last: Link<Item> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The oldest, which stays; undefined when nothing waits. */
  get first(): Item | undefined {
    return this.#first?.item
  }

  add(item: Item): void {
    const link: Link<Item> = { item, next: undefined }
    if (this.#last) this.#last.next = link
    else this.#first = link
    this.#last = link
    this.#size++
  }

  /** Takes the oldest out; undefined when nothing waits. */
  take(): Item | undefined {
    const link = this.#first
    if (!link) return undefined
    this.#first = link.next
    if (!link.next) this.#last = undefined
    this.#size--
    return link.item
  }
}

type Link<Item> = { readonly item: Item; next: Link<Item> | undefined }
