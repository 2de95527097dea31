import type { AccountFields, StateManagerInterface } from '@ethereumjs/common'
import { OriginalStorageCache } from '@ethereumjs/statemanager'
import { Account, type Address, bytesToUnprefixedHex, unprefixedHexToBytes } from '@ethereumjs/util'
import {
  assert,
  bytesToBigint,
  DomainError,
  decodeRlp,
  type Hex,
  keccak256,
  rlpBytes,
} from '#primitives'
import { encodeAccount } from '../state/genesis.ts'
import {
  type NodeSink,
  type NodeSource,
  type Trie,
  trieDelete,
  trieGet,
  trieOf,
  triePut,
  trieRoot,
} from '../state/trie.ts'

/** Where a world state finds what earlier blocks stored. */
export type StateSource = {
  readonly node: NodeSource
  readonly code: (hash: Uint8Array) => Uint8Array | undefined
}

/** Where `flush` puts what is new. */
export type StateSink = {
  readonly node: NodeSink
  readonly code: (hash: Uint8Array, code: Uint8Array) => void
}

type Slots = { cleared: boolean; readonly values: Map<string, Uint8Array> }

/** Cached accounts and nodes above which it starts afresh from the root: about 200 MB. */
const maxResident = 400_000

/**
 * The accounts at a state root, with the changes of the block being executed: the state that
 * @ethereumjs/vm works on. Changes stay in maps with an undo log; the tries are touched once a
 * block, by `flush`. Stock MerkleStateManager updates and hashes a whole path for each account.
 */
export class WorldState implements StateManagerInterface {
  readonly originalStorageCache = new OriginalStorageCache((address, key) =>
    this.getStorage(address, key),
  )
  readonly #source: StateSource
  readonly #maxResident: number
  #root: Uint8Array
  #trie: Trie
  #accounts = new Map<string, Account | undefined>()
  #slots = new Map<string, Slots>()
  #storageTries = new Map<string, Trie>()
  #codes = new Map<string, Uint8Array>()
  #dirtyAccounts = new Set<string>()
  /** Slots written a block, by account; an account without slots was cleared. */
  #dirtyStorage = new Map<string, Set<string>>()
  #undo: (() => void)[] = []
  #marks: number[] = []
  #resident = 0
  /** What `getStateRoot` made new, for the sink of the next `flush`. */
  #unsent: ((sink: StateSink) => void)[] = []

  constructor(source: StateSource, root: Uint8Array, maxKept = maxResident) {
    this.#maxResident = maxKept
    this.#source = {
      code: source.code,
      node: (hash) => {
        this.#resident++
        return source.node(hash)
      },
    }
    this.#root = root
    this.#trie = trieOf(root)
  }

  async getAccount(address: Address): Promise<Account | undefined> {
    return copyOf(this.#account(bytesToUnprefixedHex(address.bytes), address.bytes))
  }

  async putAccount(address: Address, account?: Account): Promise<void> {
    this.#set(this.#accounts, bytesToUnprefixedHex(address.bytes), copyOf(account))
    this.#dirtyAccounts.add(bytesToUnprefixedHex(address.bytes))
  }

  async deleteAccount(address: Address): Promise<void> {
    await this.putAccount(address, undefined)
    await this.clearStorage(address)
  }

  async modifyAccountFields(address: Address, fields: AccountFields): Promise<void> {
    const account = (await this.getAccount(address)) ?? new Account()
    await this.putAccount(address, Object.assign(account, fields))
  }

  async putCode(address: Address, code: Uint8Array): Promise<void> {
    const codeHash = keccak256(code)
    this.#codes.set(bytesToUnprefixedHex(codeHash), code)
    await this.modifyAccountFields(address, { codeHash })
  }

  async getCode(address: Address): Promise<Uint8Array> {
    const account = this.#account(bytesToUnprefixedHex(address.bytes), address.bytes)
    if (!account?.isContract()) return new Uint8Array(0)
    const key = bytesToUnprefixedHex(account.codeHash)
    const code = this.#codes.get(key) ?? this.#source.code(account.codeHash)
    if (!code) throw new MissingCodeError('no such code', { hash: `0x${key}` })
    this.#codes.set(key, code)
    return code
  }

  async getCodeSize(address: Address): Promise<number> {
    return (await this.getCode(address)).length
  }

  async getStorage(address: Address, key: Uint8Array): Promise<Uint8Array> {
    const name = bytesToUnprefixedHex(address.bytes)
    const slots = this.#slots.get(name)
    const slot = bytesToUnprefixedHex(key)
    const known = slots?.values.get(slot)
    if (known) return known
    const value = slots?.cleared ? noBytes : this.#storedSlot(name, address.bytes, key)
    this.#slotsOf(name).values.set(slot, value)
    this.#resident++
    return value
  }

  async putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    const name = bytesToUnprefixedHex(address.bytes)
    assert(this.#account(name, address.bytes), 'storage belongs to an account')
    let zeros = 0
    while (value[zeros] === 0) zeros++
    const slot = bytesToUnprefixedHex(key)
    this.#set(this.#slotsOf(name).values, slot, value.slice(zeros))
    this.#dirtySlotsOf(name).add(slot)
  }

  async clearStorage(address: Address): Promise<void> {
    const name = bytesToUnprefixedHex(address.bytes)
    this.#set(this.#slots, name, { cleared: true, values: new Map() })
    this.#dirtySlotsOf(name)
  }

  async checkpoint(): Promise<void> {
    this.mark()
  }

  async commit(): Promise<void> {
    this.#marks.pop()
    if (this.#marks.length === 0) this.#undo = []
  }

  async revert(): Promise<void> {
    this.rollback(this.#marks.length - 1)
  }

  /** Opens a checkpoint; the result names it for `rollback`. */
  mark(): number {
    return this.#marks.push(this.#undo.length) - 1
  }

  /** Undoes everything since a mark, whatever was opened after it. */
  rollback(mark: number): void {
    const from = this.#marks[mark]
    assert(from !== undefined, 'a checkpoint is open')
    while (this.#undo.length > from) this.#undo.pop()?.()
    this.#marks.length = mark
  }

  async getStateRoot(): Promise<Uint8Array> {
    return this.flush({
      node: (hash, encoded) => this.#unsent.push((sink) => sink.node(hash, encoded)),
      code: (hash, code) => this.#unsent.push((sink) => sink.code(hash, code)),
    })
  }

  async setStateRoot(root: Uint8Array): Promise<void> {
    this.reset(root)
  }

  async hasStateRoot(root: Uint8Array): Promise<boolean> {
    return this.#source.node(root) !== undefined
  }

  shallowCopy(): WorldState {
    return new WorldState(this.#source, this.#root, this.#maxResident)
  }

  clearCaches(): void {
    this.reset(this.#root)
  }

  /** The root that the last `flush` or `reset` left. */
  get root(): Uint8Array {
    return this.#root
  }

  /** Forgets every change and cache and stands at a stored root. */
  reset(root: Uint8Array): void {
    this.#root = root
    this.#trie = trieOf(root)
    this.#accounts.clear()
    this.#slots.clear()
    this.#storageTries.clear()
    this.#codes.clear()
    this.#dirtyAccounts.clear()
    this.#dirtyStorage.clear()
    this.#undo = []
    this.#marks = []
    this.#resident = 0
    this.#unsent = []
    this.originalStorageCache.clear()
  }

  /** Writes all changes into the tries, hands over new nodes and codes, returns the root. */
  flush(sink: StateSink): Uint8Array {
    const unsent = this.#unsent
    this.#unsent = []
    for (const send of unsent) send(sink)
    const node: NodeSink = (hash, encoded) => {
      this.#resident++
      sink.node(hash, encoded)
    }
    for (const [name, written] of this.#dirtyStorage) this.#flushStorage(name, written, node)
    for (const name of this.#dirtyAccounts) this.#flushAccount(name, sink)
    this.#root = trieRoot(this.#trie, node)
    this.#dirtyAccounts.clear()
    this.#dirtyStorage.clear()
    this.trim()
    return this.#root
  }

  /** Starts afresh from the root when the caches have grown too large. Only without checkpoints. */
  trim(): void {
    if (this.#resident + this.#accounts.size <= this.#maxResident || this.#marks.length > 0) return
    this.reset(this.#root)
  }

  #flushStorage(name: string, written: ReadonlySet<string>, node: NodeSink): void {
    const account = this.#account(name, unprefixedHexToBytes(name))
    const slots = this.#slots.get(name)
    if (!account || !slots) {
      this.#slots.delete(name)
      this.#storageTries.delete(name)
      return
    }
    let trie = slots.cleared ? undefined : this.#storageTrie(name, account)
    for (const slot of written) {
      const value = slots.values.get(slot)
      if (!value) continue // its checkpoint was reverted
      const key = keccak256(unprefixedHexToBytes(slot))
      trie =
        value.length === 0
          ? trieDelete(trie, key, this.#source.node)
          : triePut(trie, key, rlpBytes(value), this.#source.node)
    }
    slots.cleared = false
    this.#storageTries.set(name, trie)
    account.storageRoot = trieRoot(trie, node)
    this.#dirtyAccounts.add(name)
  }

  #flushAccount(name: string, sink: StateSink): void {
    if (!this.#accounts.has(name)) return // never read, and its only change was reverted
    const account = this.#accounts.get(name)
    const key = keccak256(unprefixedHexToBytes(name))
    if (!account) {
      this.#trie = trieDelete(this.#trie, key, this.#source.node)
      return
    }
    const code = this.#codes.get(bytesToUnprefixedHex(account.codeHash))
    if (code) sink.code(account.codeHash, code)
    const { nonce, balance, storageRoot, codeHash } = account
    const encoded = encodeAccount(nonce, balance, storageRoot, codeHash)
    this.#trie = triePut(this.#trie, key, encoded, this.#source.node)
  }

  /** The cached account itself: never to be changed by the caller. */
  #account(name: string, address: Uint8Array): Account | undefined {
    const known = this.#accounts.get(name)
    if (known || this.#accounts.has(name)) return known
    const encoded = trieGet(this.#trie, keccak256(address), this.#source.node)
    const account = encoded && decodeAccount(encoded)
    this.#accounts.set(name, account)
    return account
  }

  #storedSlot(name: string, address: Uint8Array, key: Uint8Array): Uint8Array {
    const account = this.#account(name, address)
    if (!account) return noBytes
    const encoded = trieGet(this.#storageTrie(name, account), keccak256(key), this.#source.node)
    return encoded ? (decodeRlp(encoded) as Uint8Array) : noBytes
  }

  #storageTrie(name: string, account: Account): Trie {
    if (!this.#storageTries.has(name)) this.#storageTries.set(name, trieOf(account.storageRoot))
    return this.#storageTries.get(name)
  }

  #slotsOf(name: string): Slots {
    let slots = this.#slots.get(name)
    if (!slots) {
      slots = { cleared: false, values: new Map() }
      this.#slots.set(name, slots)
    }
    return slots
  }

  #dirtySlotsOf(name: string): Set<string> {
    let written = this.#dirtyStorage.get(name)
    if (!written) {
      written = new Set()
      this.#dirtyStorage.set(name, written)
    }
    return written
  }

  #set<V>(map: Map<string, V>, key: string, value: V): void {
    if (this.#marks.length > 0) {
      const before = map.get(key)
      const had = map.has(key)
      this.#undo.push(() => {
        if (had) map.set(key, before as V)
        else map.delete(key)
      })
    }
    map.set(key, value)
  }
}

const noBytes = new Uint8Array(0)

const copyOf = (account: Account | undefined): Account | undefined =>
  account && new Account(account.nonce, account.balance, account.storageRoot, account.codeHash)

/** The account of its RLP in the state trie. */
export function decodeAccount(encoded: Uint8Array): Account {
  const [nonce, balance, storageRoot, codeHash] = decodeRlp(encoded) as readonly Uint8Array[]
  assert(nonce && balance && storageRoot && codeHash, 'an account has four fields')
  return new Account(bytesToBigint(nonce), bytesToBigint(balance), storageRoot, codeHash)
}

/** The store lacks the code that an account refers to: it is damaged. */
export class MissingCodeError extends DomainError<'MissingCode', { hash: Hex }> {
  override readonly code = 'MissingCode'
}
