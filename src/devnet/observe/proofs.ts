import { type ProofView, verifyProof } from '#api'
import type { Hex, Logger } from '#primitives'
import { maxCallsInBatch, type Rpc } from '../load/rpc.ts'
import { askEach } from './ask.ts'
import type { L1Outbox } from './l1-outbox.ts'

/** What is known of one subject's leaf. */
export type LeafState = {
  /** Undefined until a gateway has told. */
  readonly leafIndex: number | undefined
  /** Whether its path was checked down to a root that L1 recorded. */
  readonly isProven: boolean
}

type Entry = LeafState & { readonly addedMs: number; readonly triedMs: number }

/** A gateway learns of L1's records a little later than we do: then it is asked again. */
const retryMs = 500
/** After which a subject is asked for although L1 has recorded nothing since it was seen. */
const overdueMs = 5_000

/**
 * Checks the paths of transactions and tasks, as `nodeop_getProof` gives them, down to roots
 * recorded on L1. One transaction of an L2 block stands for all: they share the block's leaf.
 */
export class Proofs {
  readonly #rpc: Rpc
  readonly #l1: L1Outbox
  readonly #nowMs: () => number
  readonly #logger: Logger
  readonly #entries = new Map<Hex, Entry>()
  readonly #open = new Set<Hex>()

  constructor(options: {
    readonly rpc: Rpc
    readonly l1: L1Outbox
    readonly nowMs: () => number
    readonly logger: Logger
  }) {
    this.#rpc = options.rpc
    this.#l1 = options.l1
    this.#nowMs = options.nowMs
    this.#logger = options.logger
  }

  /** Wants the path of a subject checked; once is enough. */
  add(subject: Hex): void {
    if (this.#entries.has(subject)) return
    const addedMs = this.#nowMs()
    this.#entries.set(subject, {
      leafIndex: undefined,
      isProven: false,
      addedMs,
      triedMs: -retryMs,
    })
    this.#open.add(subject)
  }

  /** Checks the oldest subjects that may be on L1 by now, one batch of them. */
  async poll(): Promise<void> {
    const nowMs = this.#nowMs()
    const due: Hex[] = []
    for (const subject of this.#open) {
      if (due.length >= maxCallsInBatch) break
      if (this.#isDue(this.#entries.get(subject), nowMs)) due.push(subject)
    }
    if (due.length === 0) return
    const proofs = await askEach(this.#rpc, 'nodeop_getProof', due)
    for (const [place, subject] of due.entries()) await this.#take(subject, proofs[place], nowMs)
  }

  /** What is known of a subject that was added. */
  stateOf(subject: Hex): LeafState {
    return this.#entries.get(subject) ?? { leafIndex: undefined, isProven: false }
  }

  /** Subjects whose path is not checked yet. */
  get open(): number {
    return this.#open.size
  }

  /**
   * Nothing to see before L1 has recorded a root that is newer than the subject; one that was seen
   * late may be on L1 already, though.
   */
  #isDue(entry: Entry | undefined, nowMs: number): boolean {
    if (!entry || nowMs - entry.triedMs < retryMs) return false
    const { grownMs, size } = this.#l1.timeline
    if (entry.leafIndex !== undefined) return size > entry.leafIndex
    return grownMs >= entry.addedMs || nowMs - Math.max(entry.addedMs, entry.triedMs) >= overdueMs
  }

  async #take(subject: Hex, proof: ProofView | undefined, nowMs: number): Promise<void> {
    const entry = this.#entries.get(subject)
    if (!entry) return
    const leafIndex = proof?.leaf?.index ?? entry.leafIndex
    const isProven = proof !== undefined && (await this.#isProven(subject, proof))
    this.#entries.set(subject, { ...entry, leafIndex, isProven, triedMs: nowMs })
    if (isProven) this.#open.delete(subject)
  }

  async #isProven(subject: Hex, proof: ProofView): Promise<boolean> {
    if (!proof.checkpoint || proof.subject !== subject) return false
    const verdict = verifyProof(proof)
    if (verdict.ok) return this.#l1.isRecorded(proof.checkpoint)
    this.#logger.error('a proof does not hold', { subject, reason: verdict.reason })
    return false
  }
}
