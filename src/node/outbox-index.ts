import {
  assert,
  DomainError,
  fromHex,
  type Hex,
  type Range,
  RangeIndex,
  type RangeNodes,
  toHex,
} from '#primitives'
import type { Ledger } from '#protocol'
import {
  bool,
  type CheckpointRecord,
  type Codec,
  decode,
  hash32,
  type Leaf,
  leafCodec,
  leafHash,
  record,
  uint64,
} from '#records'
import type { CommittedBlock } from './application.ts'
import { type Beside, type BesideReader, beside } from './store/beside.ts'

/** What the index reads of a block. */
type Committed = Pick<CommittedBlock, 'l1Events' | 'after'>

/** Where on L1 a leaf was executed. */
export type Execution = { readonly transaction: Hex; readonly success: boolean }

/**
 * What an operator keeps beside the ledger for answering proofs: the outbox's hashes by level, and
 * each leaf by its subject, which the ledger forgets. It is on disk, beside the ledger, and read
 * row by row; in memory is what the last block has added.
 */
export class OutboxIndex {
  readonly #kept: BesideReader
  readonly #keptLeaves: number
  #range: RangeIndex
  /** Of the last block: on disk as soon as its commit is. */
  #news = new Map<string, Beside>()
  #size: number
  /** Leaves below were forgotten. */
  #first: number

  /**
   * @param kept - what is on disk, with the last commit.
   * @param options.size - leaves that are kept there.
   * @param options.keptLeaves - the newest leaves, which can always be proved; older ones until L1
   * holds and has executed them.
   */
  constructor(
    kept: BesideReader,
    options: { readonly size?: number; readonly keptLeaves?: number } = {},
  ) {
    const { size = 0, keptLeaves = Number.POSITIVE_INFINITY } = options
    this.#kept = kept
    this.#keptLeaves = keptLeaves
    this.#size = size
    this.#first = this.#read(uint64, firstName) ?? 0
    this.#range = new RangeIndex(this.#nodes(), size)
  }

  /**
   * Takes the leaves that a committed block has added, and what the network agreed on of L1.
   *
   * @returns what is new, to be kept in the commit of the block.
   * @throws CorruptStoreError
   */
  committed({ after, l1Events }: Committed): readonly Beside[] {
    this.#news = new Map()
    while (this.#size < after.chain.outboxSize) {
      const leaf = after.leaves.get(String(this.#size))
      assert(leaf, `leaf ${this.#size} is in the ledger`)
      this.#append(leaf)
    }
    for (const event of l1Events) {
      if (event.kind !== 'leaf-executed') continue
      const { leafIndex, transaction, success } = event
      if (leafIndex >= this.#first)
        this.#keep(executionCodec, executionName(leafIndex), { transaction, success })
    }
    this.#forget(after)
    return [...this.#news.values()]
  }

  /**
   * The leaves from one on, and the range of those before it.
   *
   * @throws CorruptStoreError, ForgottenLeafError
   */
  from(first: number): { readonly before: Range; readonly leaves: readonly Leaf[] } {
    if (first < this.#first) throw new ForgottenLeafError(`leaf ${first} is gone`, { first })
    const nodes = this.#nodes()
    const peaks: Hex[] = []
    let end = 0
    for (let level = 52; level >= 0; level--) {
      const width = 2 ** level
      if (end + width > first) continue
      peaks.push(toHex(nodes.get(level, end / width)))
      end += width
    }
    const leaves: Leaf[] = []
    for (let index = first; index < this.#size; index++) {
      const leaf = this.#read(leafCodec, leafName(index))
      assert(leaf, `leaf ${index} was kept`)
      leaves.push(leaf)
    }
    return { before: { size: first, peaks }, leaves }
  }

  /**
   * Begins anew from what `from` gave elsewhere, checked: its leaves can be proved from now on.
   *
   * @returns what is new, to be kept with the ledger that it belongs to.
   */
  restore({ before, leaves }: ReturnType<OutboxIndex['from']>): readonly Beside[] {
    this.#news = new Map()
    const nodes = this.#nodes()
    let end = 0
    for (const peak of before.peaks) {
      const level = Math.floor(Math.log2(before.size - end))
      nodes.put(level, end / 2 ** level, fromHex(peak, 32))
      end += 2 ** level
    }
    this.#first = before.size
    this.#size = before.size
    this.#range = new RangeIndex(nodes, before.size)
    for (const leaf of leaves) this.#append(leaf)
    this.#keep(uint64, firstName, this.#first)
    return [...this.#news.values()]
  }

  #append(leaf: Leaf): void {
    this.#range.append(leafHash(leaf))
    this.#keep(leafCodec, leafName(leaf.index), leaf)
    this.#keep(uint64, subjectName(leaf.subject), leaf.index)
    this.#size++
  }

  /** The leaf of a task or L2 block. @throws CorruptStoreError */
  leafOf(subject: Hex): Leaf | undefined {
    const index = this.#read(uint64, subjectName(subject))
    if (index === undefined) return undefined
    const leaf = this.#read(leafCodec, leafName(index))
    assert(leaf, `leaf ${index} was kept with its subject`)
    return leaf
  }

  /**
   * Inclusion path of a leaf under a checkpoint of this size, bottom-up.
   *
   * @throws CorruptStoreError
   */
  prove(leafIndex: number, size: number): readonly Hex[] {
    return this.#range.prove(leafIndex, size)
  }

  /**
   * How L1 executed a leaf; undefined when it has not, as far as the network agreed.
   *
   * @throws CorruptStoreError
   */
  executionOf(leafIndex: number): Execution | undefined {
    return this.#read(executionCodec, executionName(leafIndex))
  }

  /** Two go where one comes, at most: a bound that was lowered is not reached at once. */
  #forget({ deliveries, chain }: Ledger): void {
    const before = this.#first
    for (let room = 2; room > 0; room--) {
      const isOwed = deliveries.has(String(this.#first)) || this.#first >= chain.landed.size
      if (this.#size - this.#first <= this.#keptLeaves || isOwed) break
      const leaf = this.#read(leafCodec, leafName(this.#first))
      assert(leaf, `leaf ${this.#first} was kept`)
      this.#range.forget(leaf.index)
      for (const name of [leafName, executionName]) this.#drop(name(leaf.index))
      if (this.#read(uint64, subjectName(leaf.subject)) === leaf.index)
        this.#drop(subjectName(leaf.subject))
      this.#first++
    }
    if (this.#first !== before) this.#keep(uint64, firstName, this.#first)
  }

  #nodes(): RangeNodes {
    return {
      get: (level, at) => {
        const node = this.#read(hash32, nodeName(level, at))
        assert(node, `node ${at} of level ${level} was kept`)
        return fromHex(node, 32)
      },
      put: (level, at, node) => this.#keep(hash32, nodeName(level, at), toHex(node)),
      drop: (level, at) => this.#drop(nodeName(level, at)),
    }
  }

  #read<T>(codec: Codec<T>, name: string): T | undefined {
    const news = this.#news.get(name)
    if (news) return news.bytes && decode(codec, news.bytes)
    return this.#kept.readBeside(codec, name)
  }

  #keep<T>(codec: Codec<T>, name: string, value: T): void {
    this.#news.set(name, beside(codec, name, value))
  }

  #drop(name: string): void {
    this.#news.set(name, { name, bytes: undefined })
  }
}

const firstName = 'outbox first'
const leafName = (index: number): string => `leaf ${index}`
const subjectName = (subject: Hex): string => `subject ${subject}`
const executionName = (index: number): string => `execution ${index}`
const nodeName = (level: number, at: number): string => `outbox ${level} ${at}`

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

/** A leaf that was asked for has been forgotten. */
export class ForgottenLeafError extends DomainError<'ForgottenLeaf', { readonly first: number }> {
  override readonly code = 'ForgottenLeaf'
}
