import {
  appendLeaf,
  encodedEntries,
  fromHex,
  fromUtf8,
  type Hex,
  type Range,
  type Table,
  tableCodec,
  toHex,
  utf8,
} from '#primitives'
import { type Constants, chainCodec, emptyTables, type Ledger, tableNames } from '#protocol'
import { decode, encode, type Leaf, leafCodec, leafHash, uint64 } from '#records'
import { BadSnapshotError } from './format.ts'
import type { ItemReader } from './items.ts'

/**
 * The newest leaves of the outbox, which a snapshot always has: fewer than any operator keeps, so
 * that none forgets one while it writes.
 */
const snapshotLeaves = 256

/** The part of the outbox that operators still have to prove leaves of. */
export type OutboxPart = {
  /** The range of the leaves that are left out. */
  readonly before: Range
  readonly leaves: readonly Leaf[]
}

/** The first leaf of a snapshot's outbox: none before it is owed on L1. By the ledger alone. */
export function firstLeafIn({ chain, deliveries }: Ledger): number {
  let first = Math.min(chain.landed.size, chain.outboxSize - snapshotLeaves)
  for (const { leafIndex } of deliveries.values()) first = Math.min(first, leafIndex)
  return Math.max(0, first)
}

/**
 * The ledger and its outbox as a list of byte strings. Equal ledgers, equal lists.
 *
 * @throws CorruptNodeError when the ledger is so old that its nodes are gone.
 */
export function* ledgerItems(ledger: Ledger, outbox: OutboxPart): Generator<Uint8Array> {
  yield encode(chainCodec, ledger.chain)
  for (const name of tableNames) {
    const table: Table<unknown> = ledger[name] as Table<unknown>
    yield encode(uint64, table.size)
    for (const [key, value] of encodedEntries(table)) {
      yield utf8(key)
      yield value
    }
  }
  yield encode(uint64, outbox.before.size)
  for (const peak of outbox.before.peaks) yield fromHex(peak)
  for (const leaf of outbox.leaves) yield encode(leafCodec, leaf)
}

/** Reads the ledger back. What its hash covers is for the caller to compare. */
export async function readLedger(reader: ItemReader, constants: Constants): Promise<Ledger> {
  const chain = decode(chainCodec, await reader.next())
  const empty = emptyTables()
  const entries: [string, Table<unknown>][] = []
  for (const name of tableNames)
    entries.push([name, await readTable(reader, empty[name] as Table<unknown>)])
  const tables = Object.fromEntries(entries) as ReturnType<typeof emptyTables>
  return { constants, chain, ...tables }
}

async function readTable<V>(reader: ItemReader, empty: Table<V>): Promise<Table<V>> {
  const { decode: decodeValue } = tableCodec(empty)
  let table = empty
  for (let left = await readCount(reader); left > 0; left--) {
    const key = fromUtf8(await reader.next())
    table = table.set(key, decodeValue(await reader.next()))
  }
  return table
}

/**
 * Reads the outbox back.
 *
 * @param ledger - known to be true.
 * @throws BadSnapshotError when it is not this ledger's.
 */
export async function readOutbox(reader: ItemReader, ledger: Ledger): Promise<OutboxPart> {
  const { outboxSize, outboxPeaks } = ledger.chain
  const size = await readCount(reader)
  if (size !== firstLeafIn(ledger)) throw new BadSnapshotError('another part of the outbox', {})
  const peaks: Hex[] = []
  for (let rest = size; rest > 0; rest -= 2 ** Math.floor(Math.log2(rest)))
    peaks.push(toHex(await reader.next()))
  const before = { size, peaks }
  const leaves: Leaf[] = []
  let range: Range = before
  for (let index = size; index < outboxSize; index++) {
    const leaf = decode(leafCodec, await reader.next())
    if (leaf.index !== index) throw new BadSnapshotError(`leaf ${leaf.index} for ${index}`, {})
    leaves.push(leaf)
    range = appendLeaf(range, leafHash(leaf))
  }
  if (range.peaks.join() !== outboxPeaks.join())
    throw new BadSnapshotError('leaves that are not those of the outbox', {})
  return { before, leaves }
}

const readCount = async (reader: ItemReader): Promise<number> => decode(uint64, await reader.next())
