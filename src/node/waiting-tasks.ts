import type { Hex } from '#primitives'
import type { Transaction, Verdict } from '#records'

/** A task that waits for a block. */
export type WaitingTask = {
  readonly transaction: Transaction & { readonly kind: 'task' }
  readonly bytes: Uint8Array
}

/** How many tasks may wait, and how many bytes they may have together. */
export type WaitingLimits = { readonly tasks: number; readonly bytes: number }

/** Tasks that wait for a block, in order of arrival, bounded in number and in bytes. */
export class WaitingTasks {
  readonly #limits: WaitingLimits
  readonly #tasks = new Map<Hex, WaitingTask>()
  /** Ids by when they were last looked at, the longest ago first; ids that are gone are skipped. */
  #turns: Hex[] = []
  #bytes = 0

  constructor(limits: WaitingLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#tasks.size
  }

  /** Bytes of all of them. */
  get bytes(): number {
    return this.#bytes
  }

  has(id: Hex): boolean {
    return this.#tasks.has(id)
  }

  values(): Iterable<WaitingTask> {
    return this.#tasks.values()
  }

  /** Refused when the same one waits, or when it is one too many. */
  add(id: Hex, task: WaitingTask): Verdict {
    if (this.#tasks.has(id)) return { ok: false, reason: 'AlreadyWaiting' }
    const isFull =
      this.#tasks.size >= this.#limits.tasks || this.#bytes + task.bytes.length > this.#limits.bytes
    if (isFull) return { ok: false, reason: 'MempoolFull' }
    this.#tasks.set(id, task)
    this.#turns.push(id)
    this.#bytes += task.bytes.length
    return { ok: true }
  }

  /** Whether it was there. */
  delete(id: Hex): boolean {
    this.#bytes -= this.#tasks.get(id)?.bytes.length ?? 0
    return this.#tasks.delete(id)
  }

  /** Up to `count` tasks that were not looked at for the longest time; each has its turn. */
  nextTurns(count: number): readonly (readonly [Hex, WaitingTask])[] {
    const waiting = [...new Set(this.#turns)].flatMap((id) => {
      const task = this.#tasks.get(id)
      return task ? [[id, task] as const] : []
    })
    const due = waiting.slice(0, count)
    this.#turns = [...waiting.slice(count), ...due].map(([id]) => id)
    return due
  }
}
