import {
  assert,
  collectNew,
  fromHex,
  type Hex,
  loadTable,
  type NodeReader,
  type NodeRow,
  replacedNodes,
  type Table,
  tableCodec,
  toHex,
} from '#primitives'
import { appHash, type Constants, emptyTables, type Ledger, tableNames } from '#protocol'
import type { Codec, OperatorId } from '#records'
import type { Beside, BesideReader } from './beside.ts'
import type { LedgerDatabase } from './database.ts'
import { CorruptStoreError, remedy, WrongLedgerError } from './errors.ts'
import {
  type Head,
  headCodec,
  type Owner,
  ownerCodec,
  type Root,
  replacedCodec,
  seal,
  sealBytes,
  unseal,
} from './head.ts'

/** A ledger as a store holds it. */
export type StoredLedger = {
  readonly ledger: Ledger
  /** Height of the block that made it; 0 for the genesis. */
  readonly height: number
  readonly appHash: Hex
}

/**
 * Versions of which every node is kept, the newest among them. A ledger value that somebody still
 * reads lazily must not be older: commits that change anything come at most a few a second, and no
 * computation or answer takes a minute.
 */
export const keptVersions = 256

/** How rows are written; another one is refused. */
const schemaVersion = 2

const format = 'NodeOP ledger'

/** Keeps one operator's committed ledger. */
export class LedgerStore implements BesideReader {
  readonly #database: LedgerDatabase
  readonly #kept: number
  /** Names this store among others; see `collectNew`. */
  readonly #read: NodeReader
  #saved: { readonly head: Head; readonly ledger: Ledger } | undefined
  #hasFailed = false

  /**
   * Takes a database: an empty one becomes this operator's.
   *
   * @param options.keptVersions - for tests; at least 1.
   * @throws WrongLedgerError when it is another network's, operator's or version's.
   * @throws CorruptStoreError when it does not say whose it is.
   */
  constructor(
    database: LedgerDatabase,
    options: {
      readonly network: Hex
      readonly operator: OperatorId
      readonly keptVersions?: number
    },
  ) {
    const { network, operator } = options
    this.#database = database
    this.#kept = options.keptVersions ?? keptVersions
    assert(this.#kept >= 1, 'the newest version is kept')
    const origin = { file: database.file, remedy }
    this.#read = Object.assign((id: number) => database.node(id), { origin })
    claim(database, { format, version: schemaVersion, network, operator })
  }

  /**
   * The newest committed ledger, undefined when none was saved. Its nodes are read and checked when
   * they are first needed: from then on any method of its tables can throw `CorruptNodeError`.
   *
   * @param constants - of the network that the store was opened for.
   * @throws CorruptStoreError, CorruptNodeError
   */
  load(constants: Constants): StoredLedger | undefined {
    assert(this.#saved === undefined, 'loaded once, before anything is saved')
    const head = this.#loadHead()
    if (head === undefined) return undefined
    const tables = this.#loadTables(head.roots)
    const ledger: Ledger = { constants, chain: head.chain, ...tables }
    const { height } = head
    if (appHash(ledger) !== head.appHash)
      throw this.#corrupt(`the ledger of height ${height} has another hash than was stored`)
    this.#saved = { head, ledger }
    return { ledger, height, appHash: head.appHash }
  }

  /**
   * Commits the ledger of a height in one transaction; durable when it returns. Costs what has
   * changed. After an error the store takes nothing more: stop the operator and load again.
   *
   * @param ledger - made from the one that was saved or loaded last.
   * @param besides - what is kept beside it, in the same transaction.
   * @throws DiskFullError, DiskFailedError, CorruptStoreError, CorruptNodeError
   */
  save(ledger: Ledger, height: number, besides: readonly Beside[] = []): void {
    assert(height > (this.#saved?.head.height ?? -1), 'heights go up')
    this.#commit(ledger, height, besides)
  }

  /**
   * Commits a ledger that comes from elsewhere, in one transaction: what was saved before is its
   * past no more. What it takes of memory is free again afterwards.
   *
   * @throws as `save` does.
   */
  replace(ledger: Ledger, height: number, besides: readonly Beside[]): StoredLedger {
    assert(height >= (this.#saved?.head.height ?? 0), 'heights go up')
    const head = this.#commit(ledger, height, besides)
    const stored = { ...ledger, ...this.#loadTables(head.roots) }
    this.#saved = { head, ledger: stored }
    return { ledger: stored, height, appHash: head.appHash }
  }

  readBeside<T>(codec: Codec<T>, name: string): T | undefined {
    const sealed = this.#database.value(besideName(name))
    return sealed && unseal(codec, besideName(name), sealed, this.#database.file)
  }

  /** Writes the newest committed ledger into a new file that another store can open. */
  copyTo(file: string): Promise<void> {
    return this.#database.copyTo(file)
  }

  close(): void {
    this.#database.close()
  }

  #commit(ledger: Ledger, height: number, besides: readonly Beside[]): Head {
    assert(!this.#hasFailed, 'a store that has failed takes nothing more')
    this.#hasFailed = true
    const head = this.#write(ledger, height, besides)
    this.#hasFailed = false
    this.#saved = { head, ledger }
    return head
  }

  #write(ledger: Ledger, height: number, besides: readonly Beside[]): Head {
    const { head: old, ledger: before } = this.#saved ?? {}
    const filed = fileTables(before, ledger, old, this.#read)
    const { nodes, replaced, roots } = filed
    const isChanged = nodes.length > 0 || replaced.length > 0
    const version = (old?.version ?? 0) + (isChanged ? 1 : 0)
    const nextId = (old?.nextId ?? 1) + nodes.length
    const { chain } = ledger
    const head: Head = { height, appHash: appHash(ledger), version, nextId, chain, roots }
    const values = new Map<string, Uint8Array | undefined>()
    values.set(headName, seal(headCodec, headName, head))
    for (const { name, bytes } of besides)
      values.set(besideName(name), bytes && sealBytes(besideName(name), bytes))
    const dropped = isChanged ? this.#prune(version, replaced, values) : []
    this.#database.commit({ nodes, dropped, values })
    return head
  }

  /**
   * Notes what this version replaced, and takes up what the oldest kept version was the last to
   * need: nodes that version v replaced are read by versions below v only.
   */
  #prune(
    version: number,
    replaced: readonly number[],
    values: Map<string, Uint8Array | undefined>,
  ): readonly number[] {
    const newest = replacedName(version)
    values.set(newest, seal(replacedCodec, newest, replaced))
    const oldest = version - this.#kept + 1
    if (oldest < 1) return []
    if (oldest === version) {
      values.delete(newest)
      return sorted(replaced)
    }
    const name = replacedName(oldest)
    const sealed = this.#database.value(name)
    if (sealed === undefined) throw this.#corrupt(`no value "${name}"`)
    values.set(name, undefined)
    return sorted(unseal(replacedCodec, name, sealed, this.#database.file))
  }

  #loadHead(): Head | undefined {
    const { file } = this.#database
    const sealed = this.#database.value(headName)
    const lastNode = this.#database.lastNode()
    if (sealed === undefined) {
      if (lastNode > 0) throw this.#corrupt('nodes without a head')
      return undefined
    }
    const head = unseal(headCodec, headName, sealed, file)
    if (lastNode >= head.nextId) throw this.#corrupt('nodes that are newer than the head')
    if (head.roots.length !== tableNames.length) throw this.#corrupt('another number of tables')
    return head
  }

  #loadTables(roots: readonly Root[]): Tables {
    const empty = emptyTables()
    const loadOne = <V>(table: Table<V>, { id, hash, size }: Root): Table<V> =>
      loadTable(tableCodec(table), this.#read, id, fromHex(hash, 32), size)
    const entries = tableNames.map((name, at) => [
      name,
      loadOne(empty[name] as Table<unknown>, roots[at] as Root),
    ])
    return Object.fromEntries(entries) as Tables
  }

  #corrupt(fault: string): CorruptStoreError {
    const { file } = this.#database
    return new CorruptStoreError(`${file}: ${fault}; ${remedy}`, { file })
  }
}

type Tables = ReturnType<typeof emptyTables>

const ownerName = 'owner'
const headName = 'head'
const besideName = (name: string): string => `beside ${name}`
const replacedName = (version: number): string => `replaced ${version}`

/** SQLite works through its pages from left to right. */
const sorted = (ids: readonly number[]): readonly number[] => ids.toSorted((a, b) => a - b)

/** Files every table that has changed; what has not keeps its root. */
function fileTables(
  before: Ledger | undefined,
  after: Ledger,
  old: Head | undefined,
  read: NodeReader,
): {
  readonly nodes: readonly NodeRow[]
  readonly replaced: readonly number[]
  readonly roots: readonly Root[]
} {
  const nodes: NodeRow[] = []
  const replaced: number[] = []
  const firstId = old?.nextId ?? 1
  const fileOne = <V>(table: Table<V>, earlier: Table<V> | undefined): Root => {
    const hash = toHex(table.root())
    const nextId = firstId + nodes.length
    const { rows, rootId } = collectNew(table, nextId, read)
    for (const row of rows) nodes.push(row)
    if (earlier !== undefined)
      for (const id of replacedNodes(earlier, table, nextId, read)) replaced.push(id)
    return { id: rootId, hash, size: table.size }
  }
  const roots = tableNames.map((name, at) => {
    const known = old?.roots[at]
    if (known !== undefined && before?.[name] === after[name]) return known
    return fileOne(after[name] as Table<unknown>, before?.[name] as Table<unknown> | undefined)
  })
  return { nodes, replaced, roots }
}

/** Makes an empty database its owner's, and refuses another's. */
function claim(database: LedgerDatabase, owner: Owner): void {
  const { file } = database
  const sealed = database.value(ownerName)
  if (sealed !== undefined) {
    refuseOther(unseal(ownerCodec, ownerName, sealed, file), owner, file)
    return
  }
  if (database.lastNode() > 0 || database.value(headName) !== undefined)
    throw new CorruptStoreError(`${file}: it does not say whose it is; ${remedy}`, { file })
  const values = new Map([[ownerName, seal(ownerCodec, ownerName, owner)]])
  database.commit({ nodes: [], dropped: [], values })
}

function refuseOther(found: Owner, own: Owner, file: string): void {
  const fault =
    found.version !== own.version
      ? `written by version ${found.version} of the store, this is version ${own.version}`
      : found.network !== own.network
        ? `belongs to network ${found.network}, not to ${own.network}`
        : found.operator !== own.operator
          ? `belongs to operator ${found.operator}, not to ${own.operator}`
          : undefined
  if (fault === undefined) return
  const help = 'give the operator its own data folder'
  throw new WrongLedgerError(`${file}: ${fault}; ${help}`, { file })
}
