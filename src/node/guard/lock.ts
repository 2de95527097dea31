import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { diskError, FolderInUseError } from '../disk.ts'

/**
 * Keeps every other process away from an operator's folder until it is released or the process
 * ends.
 */
export type FolderLock = { release(): void }

/** The lock's file in the operator's folder. */
export const lockFile = 'operator.lock'

/**
 * Takes an operator's folder for this process; the folder exists. The lock is SQLite's own on an
 * empty database, which the system lifts when the process ends, however it ends.
 *
 * @throws FolderInUseError while another holds it, in this process or in another; DiskDeniedError,
 * DiskFailedError when it cannot be had at all.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, lockFile)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (sqliteCode(error) === busy)
      throw new FolderInUseError(
        `${folder} is in use by another operator process: stop it first`,
        { path: folder },
        error,
      )
    throw diskError(path, error)
  }
  const held = database
  return { release: () => held.close() }
}

/** SQLITE_BUSY. */
const busy = 5

const sqliteCode = (error: unknown): unknown =>
  error instanceof Error && 'errcode' in error ? error.errcode : undefined
