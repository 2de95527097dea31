import { DiskFullError } from '#node'
import type { Disk, DiskFile } from '#primitives'

/** A disk on which every sync takes so much longer. */
export const slowDisk = (disk: Disk, wait: () => Promise<void>): Disk =>
  withFiles(
    {
      ...disk,
      syncFolder: (folder) => wait().then(() => disk.syncFolder(folder)),
      commit<T>(file: string, run: () => T): T {
        const done = disk.commit(file, run)
        // One that does not resolve cannot wait either: the ledger's holds up its whole thread.
        return done instanceof Promise ? (wait().then(() => done) as T) : done
      },
    },
    (file) => ({ ...file, sync: () => wait().then(() => file.sync()) }),
  )

/**
 * A disk with room for so many bytes of files; what is removed makes none free. A write that does
 * not fit is not begun, nor any commit after it.
 */
export function smallDisk(disk: Disk, roomBytes: number): Disk {
  let leftBytes = roomBytes
  const requireRoom = (path: string) => {
    if (leftBytes >= 0) return
    const full = disk.pathOf(path)
    throw new DiskFullError(`no space left for ${full}: free some, then start again`, {
      path: full,
    })
  }
  const commit = <T>(file: string, run: () => T): T => {
    requireRoom(file)
    return disk.commit(file, run)
  }
  return withFiles({ ...disk, commit }, (file, path) => ({
    ...file,
    write: async (offset, bytes) => {
      leftBytes -= bytes.length
      requireRoom(path)
      await file.write(offset, bytes)
    },
  }))
}

const withFiles = (disk: Disk, bend: (file: DiskFile, path: string) => DiskFile): Disk => ({
  ...disk,
  open: async (path) => bend(await disk.open(path), path),
})
