import { fromHex, type Hex, type Store, toHex } from '#primitives'
import { MissingNodeError } from '../state/trie.ts'
import {
  type Batch,
  type Collection,
  collectionIn,
  firstBlock,
  type NodePlace,
  nodeIn,
  nodeKeys,
  otherPlace,
  setCollection,
} from './rows.ts'
import { walkState } from './snapshot-items.ts'
import type { BlockHead } from './types.ts'

/** Rows that a block looks at, at least, so that a quiet chain gets on. */
const leastRows = 256
/** And for each row that the block itself writes: what is removed is more than what comes. */
const rowsForOne = 4
/** Blocks between the drop of a block and the end of its state: a query may be about it yet. */
const marginBlocks = 64

/**
 * Removes the state of blocks that are not kept any more, a bit with each block.
 *
 * Trie nodes are shared between blocks, so nobody can tell from a block what goes with it. Instead
 * there are two places for nodes, by turns. When a turn begins, with a block, the nodes of later
 * blocks go to the other place, and so does, bit by bit, a copy of all that makes up the state
 * after that block: whatever a later block has of nodes is among these. Once all earlier blocks
 * were dropped, the first place is emptied, bit by bit, and another turn begins.
 *
 * What a bit changes is written with its block, at once. A process that was killed walks through
 * the state anew; what was copied is not written again.
 *
 * @param least - rows that a block looks at, at least.
 */
export class Collector {
  readonly #store: Store
  readonly #least: number
  #walk: StateWalk | undefined

  constructor(store: Store, least = leastRows) {
    this.#store = store
    this.#least = least
  }

  /** Adds the next bit to a block's batch, which has the block's own rows. */
  add(batch: Batch, { header }: CollectedBlock): void {
    const rows = Math.max(this.#least, rowsForOne * batch.rows.length)
    const collection = collectionIn(this.#store)
    if (!collection.isWhole) return void this.#copy(collection, rows, batch)
    const first = firstBlock(this.#store)
    if (first < collection.block + marginBlocks) return
    const keys = nodeKeys(this.#store, otherPlace(collection.place), rows)
    for (const key of keys) batch.rows.push([key, undefined])
    if (keys.length > 0) return
    this.#walk = undefined
    setCollection(batch, {
      ...{ place: otherPlace(collection.place), isWhole: false },
      ...{ block: header.number, root: header.stateRoot },
    })
  }

  /** Forgets a bit that was not written. */
  reset(): void {
    this.#walk = undefined
  }

  /** Copies what is not there yet; the code of contracts stays where it is. */
  #copy(collection: Collection, rows: number, batch: Batch): void {
    this.#walk ??= walkFrom(collection.root)
    const { items } = this.#walk
    for (let row = 0; row < rows; row++) {
      const { next } = this.#walk
      if (next.done) {
        this.#walk = undefined
        return void setCollection(batch, { ...collection, isWhole: true })
      }
      const { kind, hash } = next.value
      const bytes = kind === 'code' ? noBytes : this.#bring(hash, collection.place, batch)
      this.#walk.next = items.next(bytes)
    }
  }

  /** A node, which is in this place from now on. */
  #bring(hash: Uint8Array, place: NodePlace, batch: Batch): Uint8Array {
    const known = nodeIn(this.#store, place, hash)
    if (known) return known
    const bytes = nodeIn(this.#store, otherPlace(place), hash)
    if (!bytes) throw new MissingNodeError('no such trie node', { hash: toHex(hash) })
    batch.node(hash, bytes)
    return bytes
  }
}

/** A walk through a state, and what it asks for next. */
type StateWalk = {
  readonly items: ReturnType<typeof walkState>
  next: ReturnType<ReturnType<typeof walkState>['next']>
}

function walkFrom(root: Hex): StateWalk {
  const items = walkState(fromHex(root))
  return { items, next: items.next() }
}

/** What a turn has to know of the block that it begins with. */
type CollectedBlock = { readonly header: Pick<BlockHead['header'], 'number' | 'stateRoot'> }

const noBytes = new Uint8Array(0)
