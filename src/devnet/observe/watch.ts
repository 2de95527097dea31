import type { Hex } from '#primitives'
import type { LoadRecords } from '../load/records.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { L1Outbox } from './l1-outbox.ts'
import type { L2Blocks, SeenBlock } from './l2-blocks.ts'
import type { NetworkWatch } from './network.ts'
import type { Proofs } from './proofs.ts'
import type { Tasks } from './tasks.ts'

/** What the watchers know together. */
export type Watch = {
  readonly records: LoadRecords
  readonly blocks: L2Blocks
  readonly checkpoints: Checkpoints
  readonly l1: L1Outbox
  readonly proofs: Proofs
  readonly tasks: Tasks
  readonly network: NetworkWatch
  /** Why something accepted will never be in a block. */
  readonly endings: Map<Hex, string>
}

/**
 * How much is left to wait for: what is in no block yet, what is not proven, and tasks that have
 * not ended; each falls when something comes. Whatever blocks may still hold, when not all are
 * read.
 */
export function openIn(watch: Watch): number {
  addSubjects(watch)
  const { blocks, proofs, tasks, endings } = watch
  const waiting = tasks.open.filter((id) => !endings.has(id)).length
  const open = unplaced(watch).length + proofs.open + waiting
  return open === 0 && blocks.isBehind ? 1 : open
}

/** Wants every L2 block that holds a transaction of ours checked, and every task with a leaf. */
export function addSubjects({ blocks, tasks, proofs, records }: Watch): void {
  for (const block of blocks.blocks.values()) {
    const isOurs = block.transactions.some((hash) => records.transactions.has(hash))
    const subject = isOurs ? subjectOf(block) : undefined
    if (subject) proofs.add(subject)
  }
  for (const id of records.tasks.keys())
    if (tasks.progressOf(id).leafIndex !== undefined) proofs.add(id)
}

/** The transaction that stands for an L2 block; not always the first. */
export const subjectOf = ({ number, transactions }: SeenBlock): Hex | undefined =>
  transactions[number % transactions.length]

/** Transactions and tasks that were taken and are in no block yet. */
export function unplaced({ records, blocks, tasks, endings }: Watch): readonly Hex[] {
  const isTaken = ({ status }: { readonly status: string }): boolean =>
    status === 'accepted' || status === 'unanswered'
  const transactions = [...records.transactions.values()]
    .filter((sent) => isTaken(sent) && !blocks.blockOf(sent.id) && !endings.has(sent.id))
    .map(({ id }) => id)
  const waiting = tasks.open.filter(
    (id) => tasks.progressOf(id).agreedMs === undefined && !endings.has(id),
  )
  return [...transactions, ...waiting]
}
