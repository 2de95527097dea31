import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { assert, concatBytes, DomainError, type Store } from '#primitives'

/** What a store on disk needs to know. */
export type SqliteStoreOptions = {
  /** File of the database; its folder exists. */
  readonly file: string
  /**
   * Whether a batch survives a power cut once written (fsync per batch). Otherwise it survives the
   * end of the process, and after a power cut the last batches are rebuilt from the decided blocks.
   */
  readonly durable: boolean
}

/**
 * A `Store` in one SQLite file, journal in WAL mode so that readers never wait. SQLite vouches for
 * no row that a disk has changed: each carries a CRC-32 over key and value, checked at every read.
 *
 * @throws EngineStoreError when the file cannot be opened, or is no such store; and whenever a row
 * does not read back as it was written, or the disk is full.
 */
export function openSqliteStore({ file, durable }: SqliteStoreOptions): Store {
  const database = explained(file, () => openDatabase(file, durable))
  const write = database.prepare('INSERT OR REPLACE INTO rows (key, value) VALUES (?, ?)')
  const drop = database.prepare('DELETE FROM rows WHERE key = ?')
  const putAll = (batch: Parameters<Store['putBatch']>[0]) => {
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const [key, value] of batch) {
        if (value) write.run(key, seal(key, value))
        else drop.run(key)
      }
      database.exec('COMMIT')
    } catch (error) {
      // SQLite may have rolled back itself; the first error is the one that says why.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
  return {
    ...reader(file, database),
    putBatch: (batch) => explained(file, () => putAll(batch)),
    close: () => database.close(),
  }
}

/**
 * Another connection to a store that is open elsewhere in this process, only for reading. It sees
 * every batch from the moment in which `putBatch` returned.
 */
export function openSqliteReader(file: string): Store {
  const database = new DatabaseSync(file, { readOnly: true })
  return {
    ...reader(file, database),
    putBatch: () => assert(false, 'a reader never writes'),
    close: () => database.close(),
  }
}

/** What helps when an engine's store is damaged: everything in it follows from the blocks. */
export const storeRemedy =
  "restore the folder from a backup, or move this file away with its -wal and -shm, and the L2's " +
  'blocks are executed again'

/** Changes with how rows are written; another one is refused. */
const schemaVersion = 3

function openDatabase(file: string, durable: boolean): DatabaseSync {
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
    database.exec('PRAGMA cell_size_check = ON')
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version)
    const isNew = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n === 0
    if (!isNew && version !== schemaVersion) throw foreign(file, version)
    database.exec('BEGIN IMMEDIATE')
    database.exec(
      'CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID',
    )
    database.exec(`PRAGMA user_version = ${schemaVersion}`)
    database.exec('COMMIT')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const foreign = (file: string, version: number) =>
  new EngineStoreError(
    `${file} was written by version ${version} of the store, this is version ${schemaVersion}: use ` +
      'the other version, or move it away, and the L2 is executed again from the blocks',
    { file },
  )

const reader = (file: string, database: DatabaseSync): Pick<Store, 'get' | 'keys'> => {
  const read = database.prepare('SELECT value FROM rows WHERE key = ?')
  const list = database.prepare(
    'SELECT key FROM rows WHERE key >= ? AND key < ? ORDER BY key LIMIT ?',
  )
  return {
    get(key) {
      const row = explained(file, () => read.get(key))?.value
      if (row === undefined) return undefined
      const value = row instanceof Uint8Array && row.length >= crcBytes && row.subarray(crcBytes)
      if (value && crcOf(row) === crc32(value, crc32(key))) return value
      throw new EngineStoreError(`${file} has a damaged row: ${storeRemedy}`, { file })
    },
    keys: (prefix, limit) =>
      explained(file, () => list.all(prefix, after(prefix), limit)).map(
        ({ key }) => key as Uint8Array,
      ),
  }
}

/** The first key that begins otherwise. */
function after(prefix: Uint8Array): Uint8Array {
  const next = prefix.slice()
  const last = next.length - 1
  assert((next[last] ?? 0xff) < 0xff, 'a prefix that another one follows')
  next[last] = (next[last] as number) + 1
  return next
}

const crcBytes = 4

function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  const head = new Uint8Array(crcBytes)
  new DataView(head.buffer).setUint32(0, crc32(value, crc32(key)))
  return concatBytes(head, value)
}

const crcOf = (row: Uint8Array): number =>
  new DataView(row.buffer, row.byteOffset, row.byteLength).getUint32(0)

function explained<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (!(cause instanceof Error && 'errcode' in cause)) throw cause
    const help = helps.get(Number(cause.errcode) & 0xff) ?? storeRemedy
    const message = `${file} cannot be used as the L2's state (${cause.message}): ${help}`
    throw new EngineStoreError(message, { file }, cause)
  }
}

/** What helps when nothing is damaged, by SQLite's result code (sqlite.org/rescode.html). */
const helps: ReadonlyMap<number, string> = new Map([
  [8, 'give it to the user that runs the operator'], // SQLITE_READONLY
  [13, 'free some space, then start'], // SQLITE_FULL
])

/** The file of an engine's store is damaged, or out of reach. */
export class EngineStoreError extends DomainError<'EngineStore', { readonly file: string }> {
  override readonly code = 'EngineStore'
}
