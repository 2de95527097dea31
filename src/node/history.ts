import type { BlockView } from '#api'
import type { Hex } from '#primitives'
import { operatorsOf } from '#protocol'
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
    if (before.endedTasks === after.endedTasks) return
    for (const { id, status } of after.endedTasks.values()) {
      if (before.endedTasks.has(id)) continue
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
    this.#dropped.set(hash, reason)
    const oldest = this.#dropped.keys().next().value
    if (this.#dropped.size > maxDropped && oldest) this.#dropped.delete(oldest)
  }

  /** Why it was dropped; undefined when it was not, as far as is remembered. */
  reasonOf(hash: Hex): string | undefined {
    return this.#dropped.get(hash)
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
