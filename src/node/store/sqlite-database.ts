import { backup, DatabaseSync } from 'node:sqlite'
import {
  DiskDeniedError,
  DiskFailedError,
  DiskFullError,
  FolderInUseError,
  makeOwnFile,
} from '../disk.ts'
import type { DatabaseChanges, LedgerDatabase } from './database.ts'
import { CorruptStoreError, remedy } from './errors.ts'

/** How a ledger's file is opened. */
export type SqliteDatabaseOptions = {
  /** Its folder exists. */
  readonly file: string
  /**
   * Whether a commit survives a power cut once it returns (fsync). Otherwise it survives the end of
   * the process, and after a power cut the last ones are made again from the blocks.
   */
  readonly durable: boolean
}

/**
 * Pages that the log takes before they are moved into the file, which rewrites each touched page
 * once: 64 MiB, so that pages which change in every commit are moved seldom.
 */
const logPages = 16_384

/** Pages kept in memory, in KiB. */
const cacheKib = 65_536

/**
 * A ledger's rows in one SQLite file, in its write-ahead log mode, locked as long as it is open.
 *
 * @throws FolderInUseError, DiskFullError, DiskDeniedError, DiskFailedError, CorruptStoreError
 */
export function openSqliteDatabase({ file, durable }: SqliteDatabaseOptions): LedgerDatabase {
  const database = guarded(file, () => open(file, durable))
  const readNode = database.prepare('SELECT bytes FROM nodes WHERE id = ?')
  const readValue = database.prepare('SELECT bytes FROM singles WHERE name = ?')
  const readLast = database.prepare('SELECT max(id) AS id FROM nodes')
  const write = writer(database)
  return {
    file,
    node: (id) => guarded(file, () => blob(readNode.get(id))),
    lastNode: () => guarded(file, () => Number(readLast.get()?.id ?? 0)),
    value: (name) => guarded(file, () => blob(readValue.get(name))),
    commit: (changes) => guarded(file, () => write(changes)),
    copyTo: async (target) => {
      try {
        await backup(database, target)
      } catch (error) {
        throw toDomainError(file, error)
      }
    },
    close: () => database.close(),
  }
}

function open(file: string, durable: boolean): DatabaseSync {
  makeOwnFile(file)
  const database = new DatabaseSync(file)
  try {
    // Exclusive before anything else: the second process is refused, and no shared memory is
    // needed.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    database.exec('PRAGMA journal_mode = WAL')
    database.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
    database.exec(`PRAGMA wal_autocheckpoint = ${logPages}`)
    database.exec(`PRAGMA cache_size = -${cacheKib}`)
    database.exec('PRAGMA cell_size_check = ON')
    database.exec('BEGIN IMMEDIATE')
    database.exec('CREATE TABLE IF NOT EXISTS nodes (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL)')
    database.exec('CREATE TABLE IF NOT EXISTS singles (name TEXT PRIMARY KEY, bytes BLOB NOT NULL)')
    database.exec('COMMIT')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function writer(database: DatabaseSync): (changes: DatabaseChanges) => void {
  // No "or replace": a node's id is new, or the file is not the one that was loaded.
  const addNode = database.prepare('INSERT INTO nodes (id, bytes) VALUES (?, ?)')
  const dropNode = database.prepare('DELETE FROM nodes WHERE id = ?')
  const setValue = database.prepare('INSERT OR REPLACE INTO singles (name, bytes) VALUES (?, ?)')
  const dropValue = database.prepare('DELETE FROM singles WHERE name = ?')
  return ({ nodes, dropped, values }) => {
    database.exec('BEGIN IMMEDIATE')
    try {
      for (const { id, bytes } of nodes) addNode.run(id, bytes)
      for (const id of dropped) dropNode.run(id)
      for (const [name, bytes] of values) {
        if (bytes === undefined) dropValue.run(name)
        else setValue.run(name, bytes)
      }
      database.exec('COMMIT')
    } catch (error) {
      // SQLite may have rolled back itself; the first error is the one that says why.
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }
}

const blob = (row: Record<string, unknown> | undefined): Uint8Array | undefined => {
  const bytes = row?.bytes
  return bytes instanceof Uint8Array ? bytes : undefined
}

function guarded<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw toDomainError(file, error)
  }
}

/** SQLite's result codes (sqlite.org/rescode.html): the low byte is the kind. */
const kinds = { perm: 3, busy: 5, readonly: 8, ioerr: 10, full: 13, cantopen: 14 } as const

/** What a database error means to the one who runs the operator. */
function toDomainError(file: string, cause: unknown): unknown {
  if (!(cause instanceof Error && 'errcode' in cause)) return cause
  const { message } = cause
  const details = { path: file }
  switch (Number(cause.errcode) & 0xff) {
    case kinds.busy:
      return new FolderInUseError(`${file}: another process has it open`, details, cause)
    case kinds.full:
      return new DiskFullError(`no space left for ${file}: free some, then start`, details, cause)
    case kinds.perm:
    case kinds.readonly:
    case kinds.cantopen: {
      const help = `give it to the user that runs the operator; if it is theirs, ${remedy}`
      return new DiskDeniedError(`${file} may not be written: ${help}`, details, cause)
    }
    case kinds.ioerr:
      return new DiskFailedError(`${file} cannot be used: ${message}`, details, cause)
    default:
      return new CorruptStoreError(`${file}: ${message}; ${remedy}`, { file }, cause)
  }
}
