import type { BlockView } from '#api'
import type { Rpc } from '../load/rpc.ts'
import { ask } from './ask.ts'
import type { AllocationFacts } from './facts.ts'

/** Blocks asked for each time; decided faster than this a poll, only their number is known. */
const limit = 100

/** What the operators did between two times. */
export type NetworkCounts = {
  readonly blocks: number
  readonly blocksAboveRound0: number
  readonly missedWindows: number
  readonly allocations: readonly AllocationFacts[]
}

/** Watches the blocks that consensus decides, and the windows that operators miss. */
export class NetworkWatch {
  readonly #rpc: Rpc
  /** By epoch, as last seen in it. */
  readonly #allocations = new Map<number, AllocationFacts>()
  readonly #heights = new Map<number, Pick<BlockView, 'timeMs' | 'round'>>()
  #missedBefore = 0

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  /** Notes the windows that were missed before. */
  async begin(): Promise<void> {
    this.#missedBefore = (await this.#missedWindows()) ?? 0
  }

  /** Reads the newest blocks, and who has which share of the work. */
  async poll(): Promise<void> {
    await this.#readShares()
    for (const { height, timeMs, round } of (await ask(this.#rpc, 'nodeop_blocks', [limit])) ?? [])
      this.#heights.set(height, {
        timeMs,
        ...(round === undefined ? {} : { round }),
      })
  }

  /** Counts the blocks of a span of block time, and all misses since `begin`. */
  async count(fromMs: number, toMs: number): Promise<NetworkCounts> {
    const missed = (await this.#missedWindows()) ?? this.#missedBefore
    return {
      blocks: this.blocksBetween(fromMs, toMs),
      blocksAboveRound0: this.#within(fromMs, toMs).filter(([, { round = 0 }]) => round > 0).length,
      missedWindows: missed - this.#missedBefore,
      allocations: this.allocations(),
    }
  }

  /** Who had which part of the work in each epoch that was seen. */
  allocations(): readonly AllocationFacts[] {
    return [...this.#allocations.values()]
  }

  /** Blocks of a span of block time. */
  blocksBetween(fromMs: number, toMs: number): number {
    const heights = this.#within(fromMs, toMs).map(([height]) => height)
    return heights.length === 0 ? 0 : Math.max(...heights) - Math.min(...heights) + 1
  }

  #within(fromMs: number, toMs: number) {
    return [...this.#heights].filter(([, { timeMs }]) => timeMs >= fromMs && timeMs <= toMs)
  }

  async #readShares(): Promise<void> {
    const [status, operators] = await Promise.all([
      ask(this.#rpc, 'nodeop_status', []),
      ask(this.#rpc, 'nodeop_operators', []),
    ])
    if (!status || !operators) return
    const { epoch, timeMs } = status.ledger
    const places = operators.map(({ id, scores = [] }) => [id, sumOf(scores)] as const)
    const all = places.reduce((sum, [, own]) => sum + own, 0)
    if (all === 0) return
    const shares = places.map(([id, own]) => [id, Math.round((own / all) * 1_000) / 1_000] as const)
    this.#allocations.set(epoch, { epoch, timeMs, shares: Object.fromEntries(shares) })
  }

  async #missedWindows(): Promise<number | undefined> {
    const operators = await ask(this.#rpc, 'nodeop_operators', [])
    return operators?.reduce((sum, { missedWindows }) => sum + missedWindows, 0)
  }
}

const sumOf = (scores: readonly { readonly share: string }[]): number =>
  scores.reduce((sum, { share }) => sum + Number(share), 0)
