import { assert, type Hex, RangeIndex } from '#primitives'
import type { Ledger } from '#protocol'
import {
  bool,
  type CheckpointRecord,
  type Codec,
  hash32,
  type Leaf,
  leafCodec,
  leafHash,
  record,
} from '#records'
import type { CommittedBlock } from './application.ts'
import { type Beside, type BesideReader, beside } from './store/beside.ts'

/** What the index reads of a block. */
type Committed = Pick<CommittedBlock, 'l1Events' | 'after'>

/** Where on L1 a leaf was executed. */
export type Execution = { readonly transaction: Hex; readonly success: boolean }

/**
 * What an operator keeps beside the ledger for answering proofs: the outbox's hashes by level, and
 * each leaf by its subject, which the ledger forgets. On disk it goes beside the ledger, leaf by
 * leaf.
 */
export class OutboxIndex {
  readonly #range = new RangeIndex()
  readonly #leaves = new Map<Hex, Leaf>()
  readonly #executions = new Map<number, Execution>()
  #size = 0

  /**
   * Takes the leaves that a committed block has added, and what the network agreed on of L1.
   *
   * @returns what is new, to be kept.
   */
  committed({ after, l1Events }: Committed): readonly Beside[] {
    const news: Beside[] = []
    for (; this.#size < after.chain.outboxSize; this.#size++) {
      const leaf = after.leaves.get(String(this.#size))
      assert(leaf, `leaf ${this.#size} is in the ledger`)
      this.#add(leaf)
      news.push(beside(leafCodec, leafName(leaf.index), leaf))
    }
    for (const event of l1Events) {
      if (event.kind !== 'leaf-executed') continue
      const { leafIndex, transaction, success } = event
      this.#executions.set(leafIndex, { transaction, success })
      news.push(beside(executionCodec, executionName(leafIndex), { transaction, success }))
    }
    return news
  }

  /**
   * Takes the first `size` leaves as they were kept, before any block.
   *
   * @throws CorruptStoreError
   */
  load(kept: BesideReader, size: number): void {
    for (; this.#size < size; this.#size++) {
      const leaf = kept.readBeside(leafCodec, leafName(this.#size))
      assert(leaf?.index === this.#size, `leaf ${this.#size} was kept with its ledger`)
      this.#add(leaf)
      const execution = kept.readBeside(executionCodec, executionName(this.#size))
      if (execution) this.#executions.set(this.#size, execution)
    }
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

  #add(leaf: Leaf): void {
    this.#range.append(leafHash(leaf))
    this.#leaves.set(leaf.subject, leaf)
  }
}

const leafName = (index: number): string => `leaf ${index}`
const executionName = (index: number): string => `execution ${index}`

const executionCodec: Codec<Execution> = record({ transaction: hash32, success: bool })

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
