import type { CheckpointView } from '#api'
import type { Rpc } from '../load/rpc.ts'
import { ask } from './ask.ts'
import { Timeline } from './timeline.ts'

/** Checkpoints asked for each time: signing takes seconds, and one is cut each second. */
const usualLimit = 8
const catchUpLimit = 100

/** Leaves that a checkpoint covers, and when it was first seen. */
export type Seen = { readonly size: number; readonly seenMs: number }

/** Watches the network's checkpoints become certified. */
export class Checkpoints {
  readonly #rpc: Rpc
  readonly #nowMs: () => number
  readonly #certified = new Map<number, Seen>()
  #before = 0
  #limit = catchUpLimit

  /** When the outbox was seen certified up to a size. */
  readonly timeline = new Timeline()

  constructor(rpc: Rpc, nowMs: () => number) {
    this.#rpc = rpc
    this.#nowMs = nowMs
  }

  /** Notes the checkpoints that there are already: they do not count. */
  async begin(): Promise<void> {
    const [newest] = (await ask(this.#rpc, 'nodeop_checkpoints', [1])) ?? []
    this.#before = newest?.index ?? 0
  }

  /** Reads the newest checkpoints. */
  async poll(): Promise<void> {
    const views = await ask(this.#rpc, 'nodeop_checkpoints', [this.#limit])
    if (!views) {
      this.#limit = catchUpLimit
      return
    }
    this.#limit = usualLimit
    const nowMs = this.#nowMs()
    for (const view of views) {
      if (!isCertified(view)) continue
      this.#note(view, nowMs)
      this.timeline.reach(view.size, nowMs)
    }
  }

  /** Checkpoints that were seen with their signature since `begin`, by index. */
  get certified(): ReadonlyMap<number, Seen> {
    return this.#certified
  }

  #note({ index, size }: CheckpointView, seenMs: number): void {
    if (index > this.#before && !this.#certified.has(index))
      this.#certified.set(index, { size, seenMs })
  }
}

const isCertified = ({ status, signature }: CheckpointView): boolean =>
  signature !== undefined && (status === 'certified' || status === 'landed')
