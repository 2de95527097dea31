import { closeSync, constants, openSync, statSync } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Disk, type DiskFile, DomainError } from '#primitives'
import { makeFolders } from './folders.ts'

/** The files below one folder of this machine; only their owner may read them. */
export function createDisk(folder: string): Disk {
  const pathOf = (path: string) => resolve(folder, path)
  return {
    pathOf,
    open: (path) => explained(pathOf(path), async () => openFile(pathOf(path))),
    rename: (from, to) => explained(pathOf(to), () => rename(pathOf(from), pathOf(to))),
    remove: (path) => explained(pathOf(path), () => rm(pathOf(path), { force: true })),
    list: (path) => explained(pathOf(path), () => listFolder(pathOf(path))),
    makeFolder: (path) => makeFolder(pathOf(path)),
    syncFolder: (path) => explained(pathOf(path), () => syncFolder(pathOf(path))),
    commit: (_, run) => run(),
  }
}

const ownerOnly = { folder: 0o700, file: 0o600 } as const

async function openFile(path: string): Promise<DiskFile> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, ownerOnly.file)
  return {
    size: () => explained(path, async () => (await handle.stat()).size),
    read: (offset, length) => explained(path, () => readUpTo(handle, offset, length)),
    write: (offset, bytes) => explained(path, () => writeAll(handle, offset, bytes)),
    truncate: (length) => explained(path, () => handle.truncate(length)),
    sync: () => explained(path, () => handle.datasync()),
    close: () => handle.close(),
  }
}

async function readUpTo(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

async function writeAll(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done)
    done += bytesWritten
  }
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return (await readdir(path)).sort()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}

/**
 * Makes a folder and those above it that are missing, for their owner alone. Their names are made
 * durable in the folders above them, the outermost first.
 *
 * @param path - absolute.
 * @throws the disk's own errors.
 */
export const makeFolder = (path: string): Promise<void> =>
  explained(path, async () => {
    for (const made of await makeFolders(path, ownerOnly.folder)) await syncFolder(dirname(made))
  })

/**
 * Makes an empty file that only its owner may read, where there is none: SQLite would let everybody
 * read it, and gives its logs the mode that it finds. A file that is there is not opened: closing
 * it would lift the locks that this process has on it.
 *
 * @throws the disk's own errors.
 * @see POSIX.1-2024, fcntl(), of locks when a descriptor is closed
 */
export function makeOwnFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', ownerOnly.file))
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw diskError(path, error)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw diskError(path, new Error('it is a folder'))
  }
}

/** Makes the names in a folder durable. @throws the system's own errors. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Failures of the system by name, each with the file and what to do. @throws the disk's own. */
export async function explained<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw diskError(path, error)
  }
}

/** What went wrong with a file, in words. */
export function diskError(path: string, cause: unknown): Error {
  switch (systemCode(cause)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return diskFull(path, cause)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return diskDenied(path, cause)
    default: {
      const said = cause instanceof Error ? cause.message : String(cause)
      return new DiskFailedError(`${path} cannot be used: ${said}`, { path }, cause)
    }
  }
}

/** There is no room for a file. */
export const diskFull = (path: string, cause: unknown): DiskFullError =>
  new DiskFullError(`no space left for ${path}: free some, then start again`, { path }, cause)

/** A file may not be written. */
export const diskDenied = (path: string, cause: unknown): DiskDeniedError =>
  new DiskDeniedError(
    `${path} may not be written: give it to the user that runs the operator`,
    { path },
    cause,
  )

const systemCode = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

/** No space, or a quota is used up. */
export class DiskFullError extends DomainError<'DiskFull', { path: string }> {
  override readonly code = 'DiskFull'
}

/** The system forbids it: owner, mode, or a disk that is mounted read-only. */
export class DiskDeniedError extends DomainError<'DiskDenied', { path: string }> {
  override readonly code = 'DiskDenied'
}

/** Another process has the operator's folder or a file in it. */
export class FolderInUseError extends DomainError<'FolderInUse', { path: string }> {
  override readonly code = 'FolderInUse'
}

/** Any other failure of a file or folder. */
export class DiskFailedError extends DomainError<'DiskFailed', { path: string }> {
  override readonly code = 'DiskFailed'
}
