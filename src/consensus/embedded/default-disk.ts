import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Disk, DiskFile } from '#primitives'

/** The machine's own files, for whoever does not bring a `Disk`. */
export const defaultDisk: Disk = {
  pathOf: (path) => resolve(path),
  open: openFile,
  rename,
  remove: (path) => rm(path, { force: true }),
  list: (folder) => readdir(folder).catch(() => []),
  makeFolder: async (folder) => void (await mkdir(folder, { recursive: true })),
  async syncFolder(folder) {
    const handle = await open(folder, 'r')
    await handle.sync().finally(() => handle.close())
  },
}

async function openFile(path: string): Promise<DiskFile> {
  const handle = await open(path, 'r+').catch(() => open(path, 'w+'))
  return {
    size: async () => (await handle.stat()).size,
    async read(offset, length) {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(length), 0, length, offset)
      return buffer.subarray(0, bytesRead)
    },
    async write(offset, bytes) {
      await handle.write(bytes, 0, bytes.length, offset)
    },
    truncate: (length) => handle.truncate(length),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  }
}
