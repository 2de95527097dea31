import type { TaskView } from '#api'
import type { Hex } from '#primitives'
import type { LoadRecords } from '../load/records.ts'
import { maxCallsInBatch, type Rpc } from '../load/rpc.ts'
import { askEach } from './ask.ts'

/** How far one task was seen to come, and when. */
export type TaskProgress = {
  readonly leafIndex: number | undefined
  readonly agreedMs: number | undefined
  readonly settledMs: number | undefined
  /** Why it ended without a result. */
  readonly expired: string | undefined
}

const untouched: TaskProgress = {
  leafIndex: undefined,
  agreedMs: undefined,
  settledMs: undefined,
  expired: undefined,
}

/** Watches the tasks of a load until each has ended. */
export class Tasks {
  readonly #rpc: Rpc
  readonly #records: LoadRecords
  readonly #nowMs: () => number
  readonly #progress = new Map<Hex, TaskProgress>()
  /** Where the next turn begins, when there are more open tasks than one batch holds. */
  #turn = 0

  constructor(rpc: Rpc, records: LoadRecords, nowMs: () => number) {
    this.#rpc = rpc
    this.#records = records
    this.#nowMs = nowMs
  }

  /** Asks for open tasks, one batch of them. */
  async poll(): Promise<void> {
    const open = this.open
    if (open.length === 0) return
    const start = this.#turn % open.length
    const part = [...open.slice(start), ...open.slice(0, start)].slice(0, maxCallsInBatch)
    this.#turn = start + part.length
    const views = await askEach(this.#rpc, 'nodeop_getTask', part)
    const nowMs = this.#nowMs()
    for (const [place, id] of part.entries()) {
      const view = views[place]
      if (view) this.#progress.set(id, advance(this.progressOf(id), view, nowMs))
    }
  }

  /** What was seen of a task. */
  progressOf(id: Hex): TaskProgress {
    return this.#progress.get(id) ?? untouched
  }

  /** Tasks that were taken, or may have been, and have not ended. */
  get open(): readonly Hex[] {
    return [...this.#records.tasks.values()]
      .filter(({ status }) => status === 'accepted' || status === 'unanswered')
      .map(({ id }) => id)
      .filter((id) => !isEnded(this.progressOf(id)))
  }
}

const isEnded = ({ settledMs, expired }: TaskProgress): boolean =>
  settledMs !== undefined || expired !== undefined

function advance(before: TaskProgress, view: TaskView, nowMs: number): TaskProgress {
  const { status, leafIndex, reason } = view
  if (status === 'expired') return { ...before, expired: reason || 'Expired' }
  if (status !== 'agreed' && status !== 'settled') return before
  return {
    ...before,
    leafIndex,
    agreedMs: before.agreedMs ?? nowMs,
    settledMs: status === 'settled' ? nowMs : undefined,
  }
}
