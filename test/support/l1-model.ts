// L1 as the ledger sees it: an Outbox that records rising checkpoints and executes each leaf once.
import type { Hex } from '#primitives'
import type { Ledger } from '#protocol'
import type { CheckpointRecord, L1Event } from '#records'
import { deposited, recorded } from './ledger-script.ts'

/** Everything that has happened on one L1. */
export class L1Model {
  readonly events: L1Event[] = []
  readonly #executed = new Set<number>()
  #lastIndex = 0
  #lastSize = 0

  /** Certificates that the Outbox would take now. */
  submittable(ledger: Ledger): CheckpointRecord[] {
    return [...ledger.checkpoints.values()].filter(
      ({ checkpoint, signature }) => signature && checkpoint.index > this.#lastIndex,
    )
  }

  record(entry: CheckpointRecord, window: number): void {
    const { index, size, submitters } = entry.checkpoint
    this.#lastIndex = index
    this.#lastSize = size
    const operator = submitters[window] ?? 0
    this.events.push(recorded(entry, { window, operator, block: this.events.length + 2 }))
  }

  /** Leaves that are under a recorded root and not yet executed. */
  executable({ deliveries }: Ledger): { readonly leafIndex: number; readonly task: Hex }[] {
    return [...deliveries.values()].filter(
      ({ leafIndex }) => leafIndex < this.#lastSize && !this.#executed.has(leafIndex),
    )
  }

  execute({ leafIndex, task }: { leafIndex: number; task: Hex }, success: boolean): void {
    this.#executed.add(leafIndex)
    this.events.push({
      kind: 'leaf-executed',
      block: this.events.length + 2,
      transaction: task,
      logIndex: 0,
      leafIndex,
      subject: task,
      success,
      executor: `0x${'22'.repeat(20)}`,
    })
  }

  deposit(account: Hex, amountWei: bigint): void {
    this.events.push({ ...deposited(account, amountWei), block: this.events.length + 2 })
  }
}
