import {
  bytesToBigint,
  concatBytes,
  decodeRlp,
  fromHex,
  type Hex,
  type RlpItem,
  rlpBytes,
  rlpInteger,
  rlpList,
  type Store,
  toHex,
  uint64Bytes,
} from '#primitives'
import type { EthereumTransaction, TransactionType } from '../state/ethereum-transaction.ts'
import { encodeHeader, type Header, headerOf } from '../state/header.ts'
import { emptyTrieRoot } from '../state/trie.ts'
import type { BlockHead, Log, StoredBlock, StoredReceipt } from './types.ts'
import type { StateSink, StateSource } from './world-state.ts'

/** Changes with what the rows hold, so that a store of other rows is refused. */
export const rowsVersion = 'NodeOP L2 rows 2'

/** First byte of a row's key. */
const prefix = {
  /** Trie node by hash: in one of two places, `Collector` says why. */
  node: 1,
  secondNode: 11,
  /** Code by hash. */
  code: 2,
  /** Raw transactions by block hash. */
  transactions: 3,
  /** Receipts by block hash. */
  receipts: 4,
  /** Hash and bloom of a block by its number. */
  number: 5,
  /** Block number and index by transaction hash. */
  transaction: 6,
  /** Hash of the latest block. */
  head: 7,
  /** Hash of the genesis bytes and `rowsVersion`. */
  genesis: 8,
  /** Header by block hash: apart, since most reads need no more. */
  header: 9,
  /** Number of the first block that was kept. */
  first: 10,
  /** Which place new nodes go to, and since when. */
  collection: 12,
} as const

type RowKind = keyof typeof prefix
type Row = readonly [key: Uint8Array, value: Uint8Array | undefined]

const keyOf = (kind: RowKind, id: Uint8Array = new Uint8Array(0)): Uint8Array =>
  concatBytes(Uint8Array.of(prefix[kind]), id)

/** Rows gathered for one atomic write. */
export type Batch = StateSink & { readonly rows: Row[] }

/** An empty batch for a store. */
export function newBatch(store: Store): Batch {
  const rows: Row[] = []
  const { place } = collectionIn(store)
  return {
    rows,
    node: (hash, encoded) => void rows.push([keyOf(place, hash), encoded]),
    code: (hash, code) => void rows.push([keyOf('code', hash), code]),
  }
}

/** State of earlier blocks, from a store. */
export function stateSource(store: Store): StateSource {
  // Most nodes are where the last one was.
  let likely: NodePlace = 'node'
  return {
    node(hash) {
      const found = nodeIn(store, likely, hash)
      if (found) return found
      const elsewhere = nodeIn(store, otherPlace(likely), hash)
      if (elsewhere) likely = otherPlace(likely)
      return elsewhere
    },
    code: (hash) => store.get(keyOf('code', hash)),
  }
}

/** Where trie nodes are. */
export type NodePlace = 'node' | 'secondNode'

/** The one that is not this one. */
export const otherPlace = (place: NodePlace): NodePlace =>
  place === 'node' ? 'secondNode' : 'node'

/** The encoded node of a hash in one place. */
export const nodeIn = (store: Store, place: NodePlace, hash: Uint8Array): Uint8Array | undefined =>
  store.get(keyOf(place, hash))

/** Keys of some nodes in a place, at most so many. */
export const nodeKeys = (store: Store, place: NodePlace, limit: number): readonly Uint8Array[] =>
  store.keys(keyOf(place), limit)

/** How far it has come that nodes which nobody needs are removed. */
export type Collection = {
  /** Where new nodes go. */
  readonly place: NodePlace
  /** Number and state root of the block with which they began to. */
  readonly block: number
  readonly root: Hex
  /** Whether all of the state after that block is there. */
  readonly isWhole: boolean
}

/** How it stands; in a store that never began, all is in the first place. */
export function collectionIn(store: Store): Collection {
  const row = store.get(keyOf('collection'))
  if (!row) return { place: 'node', block: 0, root: toHex(emptyTrieRoot), isWhole: true }
  const [place, isWhole] = row
  return {
    place: place === prefix.node ? 'node' : 'secondNode',
    isWhole: isWhole === 1,
    block: Number(bytesToBigint(row.subarray(2, 10))),
    root: toHex(row.subarray(10)),
  }
}

/** Says how it stands from this batch on. */
export function setCollection(batch: Batch, { place, block, root, isWhole }: Collection): void {
  const flags = Uint8Array.of(prefix[place], isWhole ? 1 : 0)
  batch.rows.push([keyOf('collection'), concatBytes(flags, uint64Bytes(block), fromHex(root))])
}

/** Adds a block, its receipts, its place in the chain and its transactions' places: the latest. */
export function addBlock(
  batch: Batch,
  head: BlockHead,
  transactions: readonly EthereumTransaction[],
  receipts: readonly StoredReceipt[],
): void {
  addEarlierBlock(batch, head, transactions, receipts)
  batch.rows.push([keyOf('head'), fromHex(head.hash)])
}

/** The same of a block that others follow. */
export function addEarlierBlock(
  batch: Batch,
  { hash, header }: BlockHead,
  transactions: readonly EthereumTransaction[],
  receipts: readonly StoredReceipt[],
): void {
  const id = fromHex(hash)
  const number = uint64Bytes(header.number)
  const raws = transactions.map(({ raw }) => rlpBytes(raw))
  batch.rows.push(
    [keyOf('header', id), encodeHeader(header)],
    [keyOf('transactions', id), rlpList(raws)],
    [keyOf('receipts', id), rlpList(receipts.map(encodeStoredReceipt))],
    [keyOf('number', number), concatBytes(id, fromHex(header.logsBloom))],
  )
  transactions.forEach(({ hash: name }, index) => {
    batch.rows.push([keyOf('transaction', fromHex(name)), concatBytes(number, uint64Bytes(index))])
  })
}

/** Number of the first block that is kept. */
export function firstBlock(store: Store): number {
  const row = store.get(keyOf('first'))
  return row ? Number(bytesToBigint(row)) : 0
}

/** Makes a block that was added the latest, and says which one is the first that is kept. */
export const setChain = (batch: Batch, head: Hex, first: number): void =>
  void batch.rows.push([keyOf('head'), fromHex(head)], [keyOf('first'), uint64Bytes(first)])

/** Takes away the first block that is kept; the state after it is the `Collector`'s. */
export function dropFirstBlock(store: Store, batch: Batch): void {
  const number = firstBlock(store)
  const entry = blockEntry(store, number)
  const id = entry && fromHex(entry.hash)
  const drop = (kind: RowKind, of: Uint8Array) => batch.rows.push([keyOf(kind, of), undefined])
  for (const { transactionHash } of (entry && readReceipts(store, entry.hash)) ?? [])
    drop('transaction', fromHex(transactionHash))
  if (id) for (const kind of ['header', 'transactions', 'receipts'] as const) drop(kind, id)
  drop('number', uint64Bytes(number))
  batch.rows.push([keyOf('first'), uint64Bytes(number + 1)])
}

/** Hash of the latest block; undefined in an empty store. */
export function headHash(store: Store): Hex | undefined {
  const id = store.get(keyOf('head'))
  return id && toHex(id)
}

/**
 * Whose store this is: keccak-256 of `rowsVersion` and the genesis bytes; undefined in an empty
 * store.
 */
export function chainOf(store: Store): Hex | undefined {
  const id = store.get(keyOf('genesis'))
  return id && toHex(id)
}

/** Makes the store that of a chain. */
export const addChain = (batch: Batch, chain: Hex): void =>
  void batch.rows.push([keyOf('genesis'), fromHex(chain)])

/** Hash and bloom of the block with a number. */
export function blockEntry(
  store: Store,
  number: number,
): { hash: Hex; bloom: Uint8Array } | undefined {
  const row = store.get(keyOf('number', uint64Bytes(number)))
  return row && { hash: toHex(row.subarray(0, 32)), bloom: row.subarray(32) }
}

/** The block with a hash. */
export function readBlock(store: Store, hash: Hex): StoredBlock | undefined {
  const header = store.get(keyOf('header', fromHex(hash)))
  const row = store.get(keyOf('transactions', fromHex(hash)))
  if (!header || !row) return undefined
  const raws = decodeRlp(row) as readonly Uint8Array[]
  // Ethereum's block: header, transactions (typed ones as byte strings), no ommers, no withdrawals.
  const body = raws.map((raw) => ((raw[0] as number) >= 0xc0 ? raw : rlpBytes(raw)))
  const none = Uint8Array.of(0xc0)
  const size = rlpList([header, rlpList(body), none, none]).length
  return { hash, header: headerOf(decodeRlp(header)), transactions: raws, size }
}

/** The header of a block with a hash. */
export function readHeader(store: Store, hash: Hex): Header | undefined {
  const row = store.get(keyOf('header', fromHex(hash)))
  return row && headerOf(decodeRlp(row))
}

/** The receipts of the block with a hash. */
export function readReceipts(store: Store, hash: Hex): StoredReceipt[] | undefined {
  const row = store.get(keyOf('receipts', fromHex(hash)))
  return row && decodeReceipts(row)
}

/** Receipts of a row of theirs. */
export const decodeReceipts = (row: Uint8Array): StoredReceipt[] =>
  (decodeRlp(row) as readonly RlpItem[]).map(decodeStoredReceipt)

/** Header, transactions and receipts of a block, as their rows have them. */
export function blockRows(store: Store, hash: Hex): readonly Uint8Array[] | undefined {
  const id = fromHex(hash)
  const kinds = ['header', 'transactions', 'receipts'] as const
  const rows = kinds.map((kind) => store.get(keyOf(kind, id)))
  return rows.every((row) => row !== undefined) ? rows : undefined
}

/** Number of the block that has a transaction, and its place in it. */
export function readPlace(
  store: Store,
  transaction: Hex,
): { number: number; index: number } | undefined {
  const row = store.get(keyOf('transaction', fromHex(transaction)))
  if (!row) return undefined
  return {
    number: Number(bytesToBigint(row.subarray(0, 8))),
    index: Number(bytesToBigint(row.subarray(8))),
  }
}

const encodeStoredReceipt = (receipt: StoredReceipt): Uint8Array =>
  rlpList([
    rlpBytes(fromHex(receipt.transactionHash)),
    rlpInteger(receipt.type),
    rlpBytes(fromHex(receipt.from)),
    rlpInteger(receipt.succeeded ? 1 : 0),
    rlpInteger(receipt.gasUsed),
    rlpInteger(receipt.cumulativeGasUsed),
    encodeLogs(receipt.logs),
    rlpBytes(receipt.logs.length === 0 ? new Uint8Array(0) : fromHex(receipt.logsBloom)),
  ])

function decodeStoredReceipt(item: RlpItem): StoredReceipt {
  const fields = item as readonly RlpItem[]
  const bytes = (index: number): Uint8Array => fields[index] as Uint8Array
  const integer = (index: number): number => Number(bytesToBigint(bytes(index)))
  return {
    transactionHash: toHex(bytes(0)),
    type: integer(1) as TransactionType,
    from: toHex(bytes(2)),
    succeeded: integer(3) === 1,
    gasUsed: integer(4),
    cumulativeGasUsed: integer(5),
    logs: (fields[6] as readonly RlpItem[]).map(decodeLog),
    logsBloom: toHex(bytes(7).length === 0 ? new Uint8Array(256) : bytes(7)),
  }
}

/** RLP of a receipt as the receipts trie holds it (EIP-2718). */
export function encodeConsensusReceipt(receipt: StoredReceipt): Uint8Array {
  const body = rlpList([
    rlpInteger(receipt.succeeded ? 1 : 0),
    rlpInteger(receipt.cumulativeGasUsed),
    rlpBytes(fromHex(receipt.logsBloom)),
    encodeLogs(receipt.logs),
  ])
  return receipt.type === 0 ? body : concatBytes(Uint8Array.of(receipt.type), body)
}

const encodeLogs = (logs: readonly Log[]): Uint8Array =>
  rlpList(
    logs.map(({ address, topics, data }) =>
      rlpList([
        rlpBytes(fromHex(address)),
        rlpList(topics.map((topic) => rlpBytes(fromHex(topic)))),
        rlpBytes(fromHex(data)),
      ]),
    ),
  )

function decodeLog(item: RlpItem): Log {
  const [address, topics, data] = item as readonly [Uint8Array, readonly Uint8Array[], Uint8Array]
  return { address: toHex(address), topics: topics.map(toHex), data: toHex(data) }
}
