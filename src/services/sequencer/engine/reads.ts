import {
  DomainError,
  decodeRlp,
  fromHex,
  type Hex,
  keccak256,
  type Store,
  toHex,
} from '#primitives'
import { nextBaseFee } from '../state/header.ts'
import { trieGet, trieOf } from '../state/trie.ts'
import {
  blockEntry,
  firstBlock,
  headHash,
  readBlock,
  readHeader,
  readPlace,
  readReceipts,
} from './rows.ts'
import type {
  AccountState,
  BlockHead,
  BlockRef,
  Engine,
  QueryMethod,
  StoredReceipt,
  StoredTransaction,
} from './types.ts'
import { kindOf, noAccount } from './validity.ts'
import { decodeAccount, type StateSource } from './world-state.ts'

type Reads = Omit<Engine, QueryMethod | 'execute' | 'restore' | 'close'>

/** Answers about single blocks and about the state after each of them. */
export function createReads(store: Store, source: StateSource): Reads {
  return {
    head: async () => headOf(store),
    block: async (ref) => {
      const head = blockHead(store, ref)
      return head && present(readBlock(store, head.hash), `block ${head.hash}`)
    },
    receipts: async (hash) => receiptsOf(store, hash),
    transaction: async (hash) => transactionOf(store, hash),
    accounts: async (addresses) => {
      const { header } = headOf(store)
      return {
        blockNumber: header.number,
        nextBaseFee: nextBaseFee(header),
        accounts: addresses.map((address) => accountAt(source, header.stateRoot, address)),
      }
    },
    account: async (address, ref) => {
      const block = blockHead(store, ref)
      return block && accountAt(source, block.header.stateRoot, address)
    },
    code: async (address, ref) => {
      const block = blockHead(store, ref)
      return block && codeAt(source, block.header.stateRoot, address)
    },
    storage: async (address, slot, ref) => {
      const block = blockHead(store, ref)
      return block && storageAt(source, block.header.stateRoot, address, slot)
    },
  }
}

/** The latest block. */
export function headOf(store: Store): BlockHead {
  const hash = headHash(store)
  const header = hash && readHeader(store, hash)
  if (!header) throw missing('the latest block')
  return { hash, header }
}

/** A block's hash and header; undefined when there is no such block. */
export function blockHead(store: Store, ref: BlockRef): BlockHead | undefined {
  const hash = hashOf(store, ref)
  const header = hash && readHeader(store, hash)
  // A hash that the store gave belongs to a block of its own.
  if (hash && ref.by !== 'hash') present(header, `block ${hash}`)
  return header && { hash, header }
}

/** The receipts of a block; undefined when there is no such block. */
export const receiptsOf = (store: Store, hash: Hex): readonly StoredReceipt[] | undefined =>
  readHeader(store, hash) && present(readReceipts(store, hash), `the receipts of ${hash}`)

function hashOf(store: Store, ref: BlockRef): Hex | undefined {
  if (ref.by === 'hash') return ref.hash
  const head = headHash(store)
  if (ref.by === 'latest' || !head) return head
  return blockHashAt(store, headOf(store).header.number, ref.number)
}

/**
 * Hash of the block with a number. Rows above the head can be left from before a crash: they count
 * once they are executed again.
 *
 * @throws MissingRowError when there must be one.
 */
function blockHashAt(store: Store, head: number, number: number): Hex | undefined {
  if (number > head || number < firstBlock(store)) return undefined
  const entry = blockEntry(store, number)
  if (!entry) throw missing(`block ${number}`)
  return entry.hash
}

/** The store lacks what it must hold: it is damaged. */
export class MissingRowError extends DomainError<'MissingRow', { readonly row: string }> {
  override readonly code = 'MissingRow'
}

function present<T>(value: T | undefined, row: string): T {
  if (value === undefined) throw missing(row)
  return value
}

/** @param row - what it is of. */
export const missing = (row: string): MissingRowError =>
  new MissingRowError(`no row of ${row}`, { row })

function transactionOf(store: Store, hash: Hex): StoredTransaction | undefined {
  const place = readPlace(store, hash)
  const blockHash = place && hashOf(store, { by: 'number', number: place.number })
  const block = blockHash && readBlock(store, blockHash)
  const raw = block && place && block.transactions[place.index]
  const receipt = raw && readReceipts(store, block.hash)?.[place.index]
  if (!receipt || receipt.transactionHash !== hash) return undefined
  const { header } = block
  return { raw, from: receipt.from, block: { hash: block.hash, header }, index: place.index }
}

function accountRow(source: StateSource, stateRoot: Hex, address: Hex) {
  const key = keccak256(fromHex(address))
  const encoded = trieGet(trieOf(fromHex(stateRoot)), key, source.node)
  return encoded && decodeAccount(encoded)
}

function accountAt(source: StateSource, stateRoot: Hex, address: Hex): AccountState {
  const account = accountRow(source, stateRoot, address)
  if (!account) return noAccount
  const { nonce, balance } = account
  const code = account.isContract() ? codeOf(source, account.codeHash) : undefined
  return { nonce, balance, ...kindOf(code) }
}

function codeAt(source: StateSource, stateRoot: Hex, address: Hex): Uint8Array {
  const account = accountRow(source, stateRoot, address)
  return account?.isContract() ? codeOf(source, account.codeHash) : new Uint8Array(0)
}

const codeOf = (source: StateSource, hash: Uint8Array): Uint8Array =>
  present(source.code(hash), `code ${toHex(hash)}`)

function storageAt(source: StateSource, stateRoot: Hex, address: Hex, slot: Hex): Hex {
  const word = new Uint8Array(32)
  const account = accountRow(source, stateRoot, address)
  const trie = account && trieOf(account.storageRoot)
  const encoded = trie && trieGet(trie, keccak256(fromHex(slot)), source.node)
  const value = encoded ? (decodeRlp(encoded) as Uint8Array) : word
  word.set(value, 32 - value.length)
  return toHex(word)
}
