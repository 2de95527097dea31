import { parseEventLogs } from 'viem'
import { type L1Client, outboxAbi } from '#ethereum'
import type { Hex } from '#primitives'
import type { Seen } from './checkpoints.ts'
import { Timeline } from './timeline.ts'

/** A checkpoint that L1 recorded. */
export type Recorded = {
  readonly index: number
  readonly size: number
  readonly root: Hex
  /** Submission window it fell in, from 0. */
  readonly window: number
  readonly transaction: Hex
}

/** A leaf that L1 executed. */
export type Executed = { readonly leafIndex: number; readonly subject: Hex }

/** What the Outbox has done between two L1 blocks, in order. */
export type OutboxEvents = {
  readonly recorded: readonly Recorded[]
  readonly executed: readonly Executed[]
}

/** Watches the Outbox on L1 itself, without asking any operator. */
export class L1Outbox {
  readonly #client: L1Client
  readonly #address: Hex
  readonly #nowMs: () => number
  readonly #executedMs = new Map<number, number>()
  readonly #recorded = new Map<number, Seen>()
  readonly #roots = new Map<string, boolean>()
  #firstBlock: bigint | undefined
  #nextBlock = 0n

  /** When L1 was seen to have recorded a root over the outbox up to a size. */
  readonly timeline = new Timeline()

  constructor(client: L1Client, address: Hex, nowMs: () => number) {
    this.#client = client
    this.#address = address
    this.#nowMs = nowMs
  }

  /** Reads the blocks since the last time; the first time, only where L1 stands. */
  async poll(): Promise<void> {
    const head = await this.#client.getBlockNumber()
    if (this.#firstBlock === undefined) {
      this.#firstBlock = head + 1n
      this.#nextBlock = head + 1n
    }
    if (head < this.#nextBlock) return
    const { recorded, executed } = await this.#read(this.#nextBlock, head)
    this.#nextBlock = head + 1n
    const nowMs = this.#nowMs()
    for (const { index, size } of recorded) {
      this.timeline.reach(size, nowMs)
      if (!this.#recorded.has(index)) this.#recorded.set(index, { size, seenMs: nowMs })
    }
    for (const { leafIndex } of executed)
      if (!this.#executedMs.has(leafIndex)) this.#executedMs.set(leafIndex, nowMs)
  }

  /**
   * Checkpoints that L1 was seen to record, by index; a reorganisation may have taken some back.
   */
  get recorded(): ReadonlyMap<number, Seen> {
    return this.#recorded
  }

  /** When a leaf was first seen executed. */
  executedMs(leafIndex: number): number | undefined {
    return this.#executedMs.get(leafIndex)
  }

  /** All events since the first poll, read anew: what a reorganisation took back is not in them. */
  events(): Promise<OutboxEvents> {
    return this.#read(this.#firstBlock ?? 0n, undefined)
  }

  /** Gas that the transactions used, in their order. */
  async gasOf(transactions: readonly Hex[]): Promise<readonly number[]> {
    const receipts = await Promise.all(
      transactions.map((hash) => this.#client.getTransactionReceipt({ hash })),
    )
    return receipts.map(({ gasUsed }) => Number(gasUsed))
  }

  /** Whether the Outbox has recorded this checkpoint; each root is asked for once it is there. */
  async isRecorded(checkpoint: Pick<Recorded, 'index' | 'size' | 'root'>): Promise<boolean> {
    const { index, size, root } = checkpoint
    const key = `${index}/${size}/${root}`
    const known = this.#roots.get(key)
    if (known) return known
    const is = await this.#client.readContract({
      address: this.#address,
      abi: outboxAbi,
      functionName: 'isRecorded',
      args: [BigInt(index), BigInt(size), root],
    })
    this.#roots.set(key, is)
    return is
  }

  async #read(fromBlock: bigint, toBlock: bigint | undefined): Promise<OutboxEvents> {
    const range = toBlock === undefined ? { fromBlock } : { fromBlock, toBlock }
    const logs = await this.#client.getLogs({ address: this.#address, ...range })
    const events = parseEventLogs({ abi: outboxAbi, logs })
    return {
      recorded: events.flatMap((event) =>
        event.eventName === 'CheckpointRecorded'
          ? [
              {
                index: Number(event.args.index),
                size: Number(event.args.size),
                root: event.args.root,
                window: event.args.window,
                transaction: event.transactionHash,
              },
            ]
          : [],
      ),
      executed: events.flatMap(({ eventName, args }) =>
        eventName === 'LeafExecuted'
          ? [{ leafIndex: Number(args.leafIndex), subject: args.subject }]
          : [],
      ),
    }
  }
}
