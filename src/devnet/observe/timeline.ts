/**
 * When the outbox was first seen to be covered up to a size: sizes and times both rise. Tells for
 * any leaf when it was covered, however late its index is learned.
 */
export class Timeline {
  readonly #steps: { readonly size: number; readonly timeMs: number }[] = []

  /** Notes that everything below `size` is covered by now; older news changes nothing. */
  reach(size: number, timeMs: number): void {
    if (size > this.size) this.#steps.push({ size, timeMs })
  }

  /** Leaves that are covered. */
  get size(): number {
    return this.#steps.at(-1)?.size ?? 0
  }

  /** When it last grew; -1 when it never did. */
  get grownMs(): number {
    return this.#steps.at(-1)?.timeMs ?? -1
  }

  /** When the leaf was first seen covered; undefined while it is not. */
  coveredMs(leafIndex: number): number | undefined {
    let low = 0
    let high = this.#steps.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#steps[middle]?.size ?? 0) > leafIndex) high = middle
      else low = middle + 1
    }
    return this.#steps[low]?.timeMs
  }
}
