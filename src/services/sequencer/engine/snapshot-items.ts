import { assert, DomainError, decodeRlp, fromHex, type Hex, type Store, toHex } from '#primitives'
import { headerOf } from '../state/header.ts'
import { emptyTrieRoot, trieLinks } from '../state/trie.ts'
import { blockRows, readHeader, stateSource } from './rows.ts'
import { decodeAccount } from './world-state.ts'

/** Blocks in a snapshot, the latest among them: as many as BLOCKHASH goes back. */
export const snapshotBlocks = 256

/**
 * The L2 as a block leaves it, as a list of byte strings: header, transactions and receipts of the
 * latest blocks, from the earliest on, then the nodes of the state and the code of its contracts,
 * each where it is first needed. Equal chains, equal lists, whatever else a store holds.
 *
 * @param head - hash of a block in the store.
 * @throws MissingL2RowError
 */
export function* l2SnapshotItems(store: Store, head: Hex): Generator<Uint8Array> {
  for (const hash of latestBlocks(store, head)) {
    const rows = blockRows(store, hash)
    if (!rows) throw new MissingL2RowError(`no block ${hash}`, { hash })
    yield* rows
  }
  const header = readHeader(store, head)
  assert(header, 'the latest block is in its list')
  const source = stateSource(store)
  const walk = walkState(fromHex(header.stateRoot))
  for (let step = walk.next(); !step.done; ) {
    const { kind, hash } = step.value
    const bytes = kind === 'code' ? source.code(hash) : source.node(hash)
    if (!bytes) throw new MissingL2RowError(`no ${kind} ${toHex(hash)}`, { hash: toHex(hash) })
    yield bytes
    step = walk.next(bytes)
  }
}

/** How many blocks a snapshot has that ends with one of this number. */
export const blocksUpTo = (number: number): number => Math.min(snapshotBlocks, number + 1)

function latestBlocks(store: Store, head: Hex): readonly Hex[] {
  const latest: Hex[] = []
  let hash = head
  let count = 1
  while (latest.length < count) {
    const header = readHeader(store, hash)
    if (!header) throw new MissingL2RowError(`no header ${hash}`, { hash })
    if (latest.length === 0) count = blocksUpTo(header.number)
    latest.push(hash)
    hash = header.parentHash
  }
  return latest.reverse()
}

/** What a walk asks for, by its keccak-256. */
export type StateItem = { readonly kind: 'node' | 'code'; readonly hash: Uint8Array }

/**
 * Goes through all accounts, storage and code below a state root: asks for one item after the
 * other, and is answered with its bytes. What two accounts have in common is asked for once.
 */
export function* walkState(root: Uint8Array): Generator<StateItem, void, Uint8Array> {
  const seen = new Set([toHex(emptyTrieRoot), emptyCode])
  const open: (StateItem & { readonly of: 'accounts' | 'storage' })[] = []
  const ask = (kind: StateItem['kind'], of: 'accounts' | 'storage', hash: Uint8Array) =>
    void open.push({ kind, of, hash: hash.slice() })
  const once = (kind: StateItem['kind'], hash: Uint8Array) => {
    const name = toHex(hash)
    if (!seen.has(name)) ask(kind, 'storage', hash)
    seen.add(name)
  }
  if (!seen.has(toHex(root))) ask('node', 'accounts', root)
  for (let item = open.pop(); item; item = open.pop()) {
    const bytes = yield item
    if (item.kind === 'code') continue
    const { nodes, values } = trieLinks(bytes)
    for (const hash of nodes.toReversed()) ask('node', item.of, hash)
    if (item.of === 'storage') continue
    for (const value of values.toReversed()) {
      const { storageRoot, codeHash } = decodeAccount(value)
      once('node', storageRoot)
      once('code', codeHash)
    }
  }
}

/** keccak-256 of nothing. */
const emptyCode = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'

/** The header of its RLP. */
export const headerIn = (row: Uint8Array) => headerOf(decodeRlp(row))

/** A block or a part of the state is not in the store any more, or never was. */
export class MissingL2RowError extends DomainError<'MissingL2Row', { readonly hash: Hex }> {
  override readonly code = 'MissingL2Row'
}
