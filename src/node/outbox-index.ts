import { type Hex, RangeIndex } from '#primitives'
import type { Ledger } from '#protocol'
import {
  type CheckpointRecord,
  type L1Event,
  type Leaf,
  leafHash,
  type Transaction,
} from '#records'

/** Where on L1 a leaf was executed. */
export type Execution = { readonly transaction: Hex; readonly success: boolean }

/**
 * What an operator keeps beside the ledger for answering proofs: the outbox's hashes by level, and
 * where each subject's leaf is. Rebuilt from committed leaves, so it may be lost.
 */
export class OutboxIndex {
  readonly #range = new RangeIndex()
  readonly #leafOfSubject = new Map<Hex, number>()
  readonly #executions = new Map<number, Execution>()
  #size = 0

  /** Takes the leaves that a committed ledger has added, and what its transactions told of L1. */
  committed(ledger: Ledger, transactions: readonly (Transaction | undefined)[]): void {
    for (; this.#size < ledger.chain.outboxSize; this.#size++) {
      const leaf = ledger.leaves.get(String(this.#size))
      if (!leaf) throw new Error(`defect: leaf ${this.#size} is in the ledger`)
      this.#range.append(leafHash(leaf))
      this.#leafOfSubject.set(leaf.subject, leaf.index)
    }
    for (const transaction of transactions)
      if (transaction?.kind === 'l1-events')
        for (const event of transaction.events) this.#learn(event)
  }

  /** The leaf of a task or L2 block. */
  leafOf(ledger: Ledger, subject: Hex): Leaf | undefined {
    const index = this.#leafOfSubject.get(subject)
    return index === undefined ? undefined : ledger.leaves.get(String(index))
  }

  /** Inclusion path of a leaf under a checkpoint of this size, bottom-up. */
  prove(leafIndex: number, size: number): readonly Hex[] {
    return this.#range.prove(leafIndex, size)
  }

  /** How L1 executed a leaf; undefined when it has not, as far as the network agreed. */
  executionOf(leafIndex: number): Execution | undefined {
    return this.#executions.get(leafIndex)
  }

  #learn(event: L1Event): void {
    if (event.kind !== 'leaf-executed') return
    const { transaction, success } = event
    this.#executions.set(event.leafIndex, { transaction, success })
  }
}

/**
 * The checkpoint to prove a leaf under: the oldest that L1 recorded and holds the leaf, else the oldest
 * that is certified.
 */
export function checkpointOfLeaf(ledger: Ledger, leafIndex: number): CheckpointRecord | undefined {
  const covering = [...ledger.checkpoints.values()]
    .filter(({ checkpoint, signature }) => checkpoint.size > leafIndex && signature !== undefined)
    .sort((a, b) => a.checkpoint.index - b.checkpoint.index)
  return covering.find(({ recorded }) => recorded) ?? covering[0]
}
