import { assert, type Hex, RangeIndex } from '#primitives'
import type { Ledger } from '#protocol'
import { type CheckpointRecord, type L1Event, type Leaf, leafHash } from '#records'
import type { CommittedBlock } from './application.ts'

/** What the index reads of a block. */
type Committed = Pick<CommittedBlock, 'l1Events' | 'after'>

/** Where on L1 a leaf was executed. */
export type Execution = { readonly transaction: Hex; readonly success: boolean }

/**
 * What an operator keeps beside the ledger for answering proofs: the outbox's hashes by level, and
 * each leaf by its subject, which the ledger forgets. Rebuilt from committed leaves, so it may be
 * lost.
 */
export class OutboxIndex {
  readonly #range = new RangeIndex()
  readonly #leaves = new Map<Hex, Leaf>()
  readonly #executions = new Map<number, Execution>()
  #size = 0

  /** Takes the leaves that a committed block has added, and what the network agreed on of L1. */
  committed({ after, l1Events }: Committed): void {
    for (; this.#size < after.chain.outboxSize; this.#size++) {
      const leaf = after.leaves.get(String(this.#size))
      assert(leaf, `leaf ${this.#size} is in the ledger`)
      this.#range.append(leafHash(leaf))
      this.#leaves.set(leaf.subject, leaf)
    }
    for (const event of l1Events) this.#learn(event)
  }

  /** The leaf of a task or L2 block. */
  leafOf(subject: Hex): Leaf | undefined {
    return this.#leaves.get(subject)
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
 * The checkpoint to prove a leaf under: the oldest that L1 recorded and holds the leaf, else the
 * oldest that is certified.
 */
export function checkpointOfLeaf(ledger: Ledger, leafIndex: number): CheckpointRecord | undefined {
  const covering = [...ledger.checkpoints.values()]
    .filter(({ checkpoint }) => checkpoint.size > leafIndex)
    .filter(({ signature, recorded }) => signature !== undefined || recorded !== undefined)
    .sort((a, b) => a.checkpoint.index - b.checkpoint.index)
  return covering.find(({ recorded }) => recorded) ?? covering[0]
}
