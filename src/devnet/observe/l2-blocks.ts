import { z } from 'zod'
import type { Hex } from '#primitives'
import { maxCallsInBatch, type Rpc, type RpcReply } from '../load/rpc.ts'

/** An L2 block as it was seen, and when. */
export type SeenBlock = {
  readonly number: number
  readonly hash: Hex
  readonly transactions: readonly Hex[]
  readonly seenMs: number
}

const hex = z.templateLiteral(['0x', z.string()])

const blockSchema = z.object({
  number: z.string().regex(/^0x[0-9a-f]{1,13}$/),
  hash: hex,
  transactions: z.array(hex),
})

/** Watches one gateway's latest L2 block, and reads those that it did not see in time. */
export class L2Blocks {
  readonly #rpc: Rpc
  readonly #nowMs: () => number
  readonly #blocks = new Map<number, SeenBlock>()
  readonly #blockOf = new Map<Hex, SeenBlock>()
  readonly #repeated = new Set<Hex>()
  readonly #missing = new Set<number>()
  #last = -1

  constructor(rpc: Rpc, nowMs: () => number) {
    this.#rpc = rpc
    this.#nowMs = nowMs
  }

  /** Reads the latest block, and those between it and the last one seen. */
  async poll(): Promise<void> {
    const call = { method: 'eth_getBlockByNumber', params: ['latest', false] }
    const { replies } = await this.#rpc.send([call])
    this.#take(replies?.[0])
    const missing = [...this.#missing].slice(0, maxCallsInBatch)
    if (missing.length === 0) return
    const read = await this.#rpc.send(
      missing.map((number) => ({
        method: 'eth_getBlockByNumber',
        params: [`0x${number.toString(16)}`, false],
      })),
    )
    for (const reply of read.replies ?? []) this.#take(reply)
  }

  /** Blocks by number, as first seen. */
  get blocks(): ReadonlyMap<number, SeenBlock> {
    return this.#blocks
  }

  /** The first block that lists a transaction. */
  blockOf(transaction: Hex): SeenBlock | undefined {
    return this.#blockOf.get(transaction)
  }

  /** Transactions that more than one block lists, or one block more than once. */
  get repeated(): ReadonlySet<Hex> {
    return this.#repeated
  }

  /** Whether there are blocks that are known to exist and were not read yet. */
  get isBehind(): boolean {
    return this.#missing.size > 0
  }

  #take(reply: RpcReply | undefined): void {
    const read = blockSchema.safeParse(reply?.kind === 'result' ? reply.result : undefined)
    if (!read.success) return
    const { hash, transactions } = read.data
    const number = Number(read.data.number)
    this.#missing.delete(number)
    const known = this.#blocks.get(number)
    if (known?.hash === hash) return
    // Another block of the same number is kept out of `blocks`, but what it lists is listed twice.
    const block: SeenBlock = { number, hash, transactions, seenMs: this.#nowMs() }
    if (!known) this.#blocks.set(number, block)
    for (const transaction of transactions) {
      if (this.#blockOf.has(transaction)) this.#repeated.add(transaction)
      else this.#blockOf.set(transaction, block)
    }
    if (this.#last >= 0)
      for (let skipped = this.#last + 1; skipped < number; skipped++) this.#missing.add(skipped)
    this.#last = Math.max(this.#last, number)
  }
}
