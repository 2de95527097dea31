import type { BlockView } from '#api'
import { type Hex, setBounded } from '#primitives'
import { type Ledger, operatorsOf } from '#protocol'
import type { Task } from '#records'
import type { CommittedBlock } from './application.ts'

/** Blocks and dropped transactions that an operator remembers for people. */
const maxBlocks = 1_024
const maxDropped = 65_536

/** An L2 block that a consensus block made. */
export type L2BlockSummary = {
  readonly number: number
  readonly hash: Hex
  readonly transactions: number
}

/** What an operator tells of the recent past; lost at a restart, since nothing depends on it. */
export class History {
  readonly #blocks: BlockView[] = []
  readonly #dropped = new Map<Hex, string>()
  #settled = 0
  #l2Transactions = 0
  #expired = 0

  /** Takes a committed block, newest first from then on. */
  committed(
    { block, results, after, before }: CommittedBlock,
    l2: L2BlockSummary | undefined,
  ): void {
    const proposer = operatorsOf(after).find(({ consensusKey }) => consensusKey === block.proposer)
    this.#blocks.unshift({
      height: block.height,
      hash: block.hash,
      timeMs: block.timeMs,
      proposer: proposer?.id ?? 0,
      transactions: block.transactions.length,
      refused: results.filter(({ ok }) => !ok).length,
      ...(l2 ? { l2 } : {}),
    })
    this.#l2Transactions += l2?.transactions ?? 0
    this.#blocks.length = Math.min(this.#blocks.length, maxBlocks)
    for (const { status } of endedTasks(before, after)) {
      if (status === 'settled') this.#settled += 1
      else this.#expired += 1
    }
  }

  /** Learns the round in which a committed block was decided. */
  decided(height: number, round: number): void {
    const place = this.#blocks.findIndex((block) => block.height === height)
    const block = this.#blocks[place]
    if (block) this.#blocks[place] = { ...block, round }
  }

  /** Remembers why an accepted transaction or task will never be in a block. */
  dropped(hash: Hex, reason: string): void {
    setBounded(this.#dropped, hash, reason, maxDropped)
  }

  /** Why it was dropped; undefined when it was not, as far as is remembered. */
  reasonOf(hash: Hex): string | undefined {
    return this.#dropped.get(hash)
  }

  /** Time of one of the newest blocks; undefined for older ones. */
  timeOf(height: number): number | undefined {
    const [newest] = this.#blocks
    return newest && this.#blocks[newest.height - height]?.timeMs
  }

  /** The newest blocks, newest first. */
  blocks(limit: number): readonly BlockView[] {
    return this.#blocks.slice(0, limit)
  }

  /** L2 transactions executed since this process follows the chain. */
  get l2Transactions(): number {
    return this.#l2Transactions
  }

  /** Tasks that have ended since this process follows the chain. */
  get ended(): { readonly settled: number; readonly expired: number } {
    return { settled: this.#settled, expired: this.#expired }
  }
}

/** Tasks that a block ended, settled or expired: those that it took from the open ones. */
export const endedTasks = (before: Ledger, after: Ledger): readonly Task[] =>
  before.tasks === after.tasks
    ? []
    : [...before.tasks.keys()].flatMap((id) => {
        const ended = after.tasks.has(id) ? undefined : after.endedTasks.get(id)
        return ended ? [ended] : []
      })
