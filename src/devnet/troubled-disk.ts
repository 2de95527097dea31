import { DiskFullError } from '#node'
import type { Disk, DiskFile } from '#primitives'

/** A disk on which every sync takes so much longer. */
export const slowDisk = (disk: Disk, wait: () => Promise<void>): Disk =>
  withFiles(
    { ...disk, syncFolder: (folder) => wait().then(() => disk.syncFolder(folder)) },
    (file) => ({ ...file, sync: () => wait().then(() => file.sync()) }),
  )

/**
 * A disk with room for so many bytes; what is removed makes none free. A write that does not fit is
 * not begun.
 */
export function smallDisk(disk: Disk, roomBytes: number): Disk {
  let leftBytes = roomBytes
  return withFiles(disk, (file, path) => ({
    ...file,
    write: async (offset, bytes) => {
      leftBytes -= bytes.length
      if (leftBytes < 0) {
        const full = disk.pathOf(path)
        const message = `no space left for ${full}: free some, then start again`
        throw new DiskFullError(message, { path: full })
      }
      await file.write(offset, bytes)
    },
  }))
}

const withFiles = (disk: Disk, bend: (file: DiskFile, path: string) => DiskFile): Disk => ({
  ...disk,
  open: async (path) => bend(await disk.open(path), path),
})
