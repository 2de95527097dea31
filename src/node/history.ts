import type { BlockView } from '#api'
import { type Hex, setBounded } from '#primitives'
import { type Ledger, operatorsOf } from '#protocol'
import { type Codec, hash32, optional, record, type Task, uint16, uint32, uint64 } from '#records'
import type { CommittedBlock } from './application.ts'
import { type Beside, type BesideReader, beside } from './store/beside.ts'

/** Blocks and dropped transactions that an operator remembers for people. */
const maxBlocks = 1_024
const maxDropped = 65_536

/** An L2 block that a consensus block made. */
export type L2BlockSummary = {
  readonly number: number
  readonly hash: Hex
  readonly transactions: number
}

/** What an operator tells of the recent past. On disk it goes beside the ledger. */
export class History {
  readonly #blocks: BlockView[] = []
  readonly #dropped = new Map<Hex, string>()
  #settled = 0
  #l2Transactions = 0
  #expired = 0

  /**
   * Takes a committed block, newest first from then on.
   *
   * @returns what is new, to be kept; the round of a block comes with the next one.
   */
  committed(
    { block, results, after, before }: CommittedBlock,
    l2: L2BlockSummary | undefined,
  ): readonly Beside[] {
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
    const newest = this.#blocks.slice(0, 2).map((one) => beside(blockCodec, blockName(one), one))
    return [...newest, beside(countsCodec, countsName, this.#counts())]
  }

  /**
   * Takes what was kept up to a height, before any block.
   *
   * @throws CorruptStoreError
   */
  load(kept: BesideReader, height: number): void {
    for (let at = height; at > 0 && this.#blocks.length < maxBlocks; at--) {
      const block = kept.readBeside(blockCodec, blockName({ height: at }))
      if (block?.height !== at) break
      this.#blocks.push(block)
    }
    const counts = kept.readBeside(countsCodec, countsName)
    this.#settled = counts?.settled ?? 0
    this.#expired = counts?.expired ?? 0
    this.#l2Transactions = counts?.l2Transactions ?? 0
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

  /** L2 transactions executed since the operator follows the chain. */
  get l2Transactions(): number {
    return this.#l2Transactions
  }

  /** Tasks that have ended since the operator follows the chain. */
  get ended(): { readonly settled: number; readonly expired: number } {
    return { settled: this.#settled, expired: this.#expired }
  }

  #counts(): Counts {
    return {
      settled: this.#settled,
      expired: this.#expired,
      l2Transactions: this.#l2Transactions,
    }
  }
}

type Counts = {
  readonly settled: number
  readonly expired: number
  readonly l2Transactions: number
}

const countsCodec: Codec<Counts> = record({
  settled: uint64,
  expired: uint64,
  l2Transactions: uint64,
})
const countsName = 'counts'

/** So many names for blocks as are remembered: a newer one takes the place of the oldest. */
const blockName = ({ height }: { readonly height: number }): string => `block ${height % maxBlocks}`

type KeptBlock = Omit<BlockView, 'refused' | 'l2' | 'round'> & {
  readonly refused: number
  readonly l2: L2BlockSummary | undefined
  readonly round: number | undefined
}

const keptCodec: Codec<KeptBlock> = record({
  height: uint64,
  hash: hash32,
  timeMs: uint64,
  proposer: uint16,
  transactions: uint32,
  refused: uint32,
  l2: optional(record<L2BlockSummary>({ number: uint64, hash: hash32, transactions: uint32 })),
  round: optional(uint32),
})

/** What is not known is left out of a view, not undefined. */
const blockCodec: Codec<BlockView> = {
  ssz: keptCodec.ssz,
  toSsz: ({ refused = 0, l2, round, ...block }) =>
    keptCodec.toSsz({ ...block, refused, l2, round }),
  fromSsz: (bytes) => {
    const { l2, round, ...block } = keptCodec.fromSsz(bytes)
    return { ...block, ...(l2 ? { l2 } : {}), ...(round === undefined ? {} : { round }) }
  },
}

/** Tasks that a block ended, settled or expired: those that it took from the open ones. */
export const endedTasks = (before: Ledger, after: Ledger): readonly Task[] =>
  before.tasks === after.tasks
    ? []
    : [...before.tasks.keys()].flatMap((id) => {
        const ended = after.tasks.has(id) ? undefined : after.endedTasks.get(id)
        return ended ? [ended] : []
      })
