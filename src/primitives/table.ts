import { equalBytes } from './bytes.ts'
import { assert } from './errors.ts'
import { collectReplaced } from './table-change.ts'
import { childAt, corrupt, encodeRow, readNode } from './table-codec.ts'
import {
  countOf,
  emptyRoot,
  type FullNode,
  hashOfKey,
  idIn,
  type LeafNode,
  type NodeReader,
  newLeaf,
  nodeHash,
} from './table-node.ts'
import { proveKey } from './table-proof.ts'
import { findLeaf, insertLeaf, leavesOf, passingLeavesOf, removeLeaf } from './table-trie.ts'

/** How a table's values are written. Encoding is canonical: equal values, equal bytes. */
export type TableCodec<V> = {
  encode(value: V): Uint8Array
  decode(bytes: Uint8Array): V
}

const trieOf: unique symbol = Symbol('trie')
const codecOf: unique symbol = Symbol('codec')

/**
 * An immutable map from texts to values which carries its own SHA-256: a 16-way trie over the key's
 * hash in which versions share what they have in common. Equal content, equal root, whatever the
 * history. Keys are their UTF-8 bytes.
 */
export type Table<V> = {
  /** Number of entries. */
  readonly size: number
  /** What the key's bytes decode to, whoever set it; decoded once per entry. Do not change it. */
  get(key: string): V | undefined
  has(key: string): boolean
  /** The table with this entry; the same table when it holds byte-equal bytes already. */
  set(key: string, value: V): Table<V>
  /** The table without this key; the same table when there is none. */
  delete(key: string): Table<V>
  /**
   * 32 bytes over the whole content; zero when empty. Costs what has changed since the last time.
   */
  root(): Uint8Array
  /** Entries in ascending order of SHA-256 of the key. */
  entries(): Iterable<readonly [key: string, value: V]>
  keys(): Iterable<string>
  values(): Iterable<V>
  /** Shows anyone who knows the root what the key maps to, or that it is absent. */
  prove(key: string): Uint8Array
  /** For the functions of this file and nobody else. */
  readonly [trieOf]: FullNode<V> | undefined
  readonly [codecOf]: TableCodec<V>
}

/** A table without entries. */
export const emptyTable = <V>(codec: TableCodec<V>): Table<V> => tableOf(codec, undefined)

/** How the values of a table are written. */
export const tableCodec = <V>(table: Table<V>): TableCodec<V> => table[codecOf]

/**
 * Every entry as its key and its value's bytes, in ascending order of SHA-256 of the key: the same
 * for equal tables. What is still in the store is read and let go again.
 *
 * @throws CorruptNodeError, as any method of a loaded table.
 */
export function* encodedEntries<V>(
  table: Table<V>,
): Generator<readonly [key: string, value: Uint8Array]> {
  for (const { key, bytes } of passingLeavesOf(table[trieOf])) yield [key, bytes]
}

/**
 * The table that a store holds under a root. Nodes are read when they are first needed and then
 * kept; any method can throw `CorruptNodeError` as long as some are not.
 *
 * @param read - the store; give `collectNew` the very same function.
 * @param size - number of entries; checked, since the root's hash covers it.
 * @throws CorruptNodeError when the root's row is not that of this hash and size.
 */
export function loadTable<V>(
  codec: TableCodec<V>,
  read: NodeReader,
  rootId: number,
  rootHash: Uint8Array,
  size: number,
): Table<V> {
  const isEmpty = equalBytes(rootHash, emptyRoot)
  const root = isEmpty
    ? undefined
    : readNode<V>({ kind: 'stub', reader: read, id: rootId, hash: rootHash })
  const table = tableOf(codec, root)
  if (table.size !== size) throw corrupt(read, rootId, `${table.size} entries instead of ${size}`)
  return table
}

/** A node's row for the store. */
export type NodeRow = { readonly id: number; readonly bytes: Uint8Array }

/**
 * The nodes that a store does not hold yet, children before parents, with ids `nextId`, `nextId +
 * 1` and so on. They count as stored from here on: write all rows in one transaction with `rootId`,
 * and stop the process when that fails.
 *
 * @param nextId - above every id in the store, at least 1.
 * @param read - names the store: the very function that later loads from it. A table that was made
 *   for or loaded from another store is written whole.
 * @returns `rootId` is 0 for an empty table.
 */
export function collectNew<V>(
  table: Table<V>,
  nextId: number,
  read: NodeReader,
): { readonly rows: readonly NodeRow[]; readonly rootId: number } {
  assert(nextId >= 1, 'ids begin at 1')
  const root = table[trieOf]
  const rows: NodeRow[] = []
  return { rows, rootId: root === undefined ? 0 : fileNode(root, nextId, read, rows) }
}

/**
 * Ids of the nodes that a store needs for one version of a table and not for the next: what it may
 * drop once nobody reads the earlier one. Costs what has changed.
 *
 * @param after - made from `before` by setting and deleting, and filed since: `before` holds every
 *   node that the two share, a defect otherwise.
 * @param firstId - `nextId` when `collectNew` filed `after`.
 */
export const replacedNodes = <V>(
  before: Table<V>,
  after: Table<V>,
  firstId: number,
  read: NodeReader,
): readonly number[] => collectReplaced(before[trieOf], after[trieOf], firstId, read)

/** Puts what is new at and below the node into `rows`; the result is the node's id. */
function fileNode<V>(
  node: FullNode<V>,
  firstId: number,
  read: NodeReader,
  rows: NodeRow[],
): number {
  const known = idIn(node, read)
  if (known !== undefined) return known
  const childIds =
    node.kind === 'leaf'
      ? []
      : node.children.map((child, slot) =>
          child.kind === 'stub' && child.reader === read
            ? child.id
            : fileNode(childAt(node, slot), firstId, read, rows),
        )
  const id = firstId + rows.length
  rows.push({ id, bytes: encodeRow(node, childIds) })
  node.filed = { reader: read, id, next: node.filed }
  return id
}

function tableOf<V>(codec: TableCodec<V>, trie: FullNode<V> | undefined): Table<V> {
  const withTrie = (changed: FullNode<V> | undefined): Table<V> =>
    changed === trie ? table : tableOf(codec, changed)
  const table: Table<V> = {
    size: trie === undefined ? 0 : countOf(trie),
    get: (key) => {
      const leaf = findLeaf(trie, hashOfKey(key))
      return leaf === undefined ? undefined : decoded(codec, leaf)
    },
    has: (key) => findLeaf(trie, hashOfKey(key)) !== undefined,
    set: (key, value) => {
      const leaf = newLeaf<V>(hashOfKey(key), key.toWellFormed(), codec.encode(value))
      return withTrie(insertLeaf(trie, leaf, 0))
    },
    delete: (key) => withTrie(trie === undefined ? undefined : removeLeaf(trie, hashOfKey(key), 0)),
    root: () => (trie === undefined ? emptyRoot : nodeHash(trie)).slice(),
    entries: () => mapLeaves(trie, (leaf) => [leaf.key, decoded(codec, leaf)] as const),
    keys: () => mapLeaves(trie, (leaf) => leaf.key),
    values: () => mapLeaves(trie, (leaf) => decoded(codec, leaf)),
    prove: (key) => proveKey(trie, key),
    [trieOf]: trie,
    [codecOf]: codec,
  }
  return table
}

/**
 * The value as its bytes say. What was set is never handed back itself: an operator that has
 * restarted must read exactly what one that has not reads.
 */
function decoded<V>(codec: TableCodec<V>, leaf: LeafNode<V>): V {
  leaf.value ??= codec.decode(leaf.bytes)
  return leaf.value
}

/** Can be iterated again and again, unlike a generator. */
const mapLeaves = <V, T>(
  trie: FullNode<V> | undefined,
  read: (leaf: LeafNode<V>) => T,
): Iterable<T> => ({
  *[Symbol.iterator]() {
    for (const leaf of leavesOf(trie)) yield read(leaf)
  },
})
