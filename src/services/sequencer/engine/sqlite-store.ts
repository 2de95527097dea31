import { DatabaseSync } from 'node:sqlite'
import { assert, DomainError, type Store } from '#primitives'

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
 * A `Store` in one SQLite file, journal in WAL mode so that readers never wait.
 *
 * @throws EngineStoreError when the file cannot be opened, or is no such store.
 */
export function openSqliteStore({ file, durable }: SqliteStoreOptions): Store {
  const database = openDatabase(file, durable)
  const read = database.prepare('SELECT value FROM rows WHERE key = ?')
  const write = database.prepare('INSERT OR REPLACE INTO rows (key, value) VALUES (?, ?)')
  const drop = database.prepare('DELETE FROM rows WHERE key = ?')
  return {
    get: (key) => read.get(key)?.value as Uint8Array | undefined,
    putBatch: (batch) => {
      database.exec('BEGIN IMMEDIATE')
      try {
        for (const [key, value] of batch) {
          if (value) write.run(key, value)
          else drop.run(key)
        }
        database.exec('COMMIT')
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
    close: () => database.close(),
  }
}

/**
 * Another connection to a store that is open elsewhere in this process, only for reading. It sees
 * every batch from the moment in which `putBatch` returned.
 */
export function openSqliteReader(file: string): Store {
  const database = new DatabaseSync(file, { readOnly: true })
  const read = database.prepare('SELECT value FROM rows WHERE key = ?')
  return {
    get: (key) => read.get(key)?.value as Uint8Array | undefined,
    putBatch: () => assert(false, 'a reader never writes'),
    close: () => database.close(),
  }
}

function openDatabase(file: string, durable: boolean): DatabaseSync {
  try {
    const database = new DatabaseSync(file)
    database.exec('PRAGMA journal_mode = WAL')
    database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
    database.exec(
      'CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID',
    )
    return database
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause)
    const message =
      `${file} cannot be read as the L2's state (${said}): move it away with its -wal and -shm, ` +
      'and the L2 is executed again from the blocks'
    throw new EngineStoreError(message, { file }, cause)
  }
}

/** The file of an engine's store is damaged, or out of reach. */
export class EngineStoreError extends DomainError<'EngineStore', { readonly file: string }> {
  override readonly code = 'EngineStore'
}
