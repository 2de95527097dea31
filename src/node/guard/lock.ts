import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { diskDenied, diskError, diskFull, FolderInUseError, makeOwnFile } from '../disk.ts'

/**
 * Keeps every other process away from an operator's folder until it is released or the process
 * ends.
 */
export type FolderLock = { release(): void }

/** What is held: a database that nobody refers to would be closed, and its lock lifted with it. */
const held = new Set<DatabaseSync>()

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
  makeOwnFile(path)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    throw whyNot(folder, path, error)
  }
  const lock = database
  held.add(lock)
  const release = () => {
    held.delete(lock)
    lock.close()
  }
  return { release }
}

/** SQLITE_BUSY, SQLITE_READONLY and SQLITE_FULL (sqlite.org/rescode.html). */
const [busy, readonly, full] = [5, 8, 13]

function whyNot(folder: string, path: string, cause: unknown): Error {
  const code = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0
  if (code === full) return diskFull(path, cause)
  if (code === readonly) return diskDenied(path, cause)
  if (code !== busy) return diskError(path, cause)
  const message = `${folder} is in use by another operator process: stop it first`
  return new FolderInUseError(message, { path: folder }, cause)
}
