import type { Disk } from '#primitives'

/**
 * Puts a file in place at once: after a crash there is the earlier one or this one, never a part.
 * Durable when it resolves.
 *
 * @param path - in the disk's top folder.
 */
export async function saveFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.new`
  await disk.remove(draft)
  const file = await disk.open(draft)
  try {
    await file.write(0, bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(draft, path)
  await disk.syncFolder('')
}

/** A file of the disk's top folder; undefined when there is none. */
export async function loadFile(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  if (!(await disk.list('')).includes(path)) return undefined
  const file = await disk.open(path)
  try {
    return await file.read(0, await file.size())
  } finally {
    await file.close()
  }
}
