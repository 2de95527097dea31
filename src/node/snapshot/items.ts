import { setImmediate } from 'node:timers/promises'
import { concatBytes, type DiskFile, type Hex, sha256Hex } from '#primitives'
import { BadSnapshotError, chunkBytes } from './format.ts'

/** Before each item: its length. */
const lengthBytes = 4

/** Bytes after which others have their turn: a few milliseconds of reading. */
const turnBytes = 64 * 1024
/** What an item counts for beside its bytes. */
const itemCost = 128

/**
 * Writes items into an empty file, one after the other, each after its length.
 *
 * @param isStopped - whether to give up.
 * @returns what the file holds; undefined when it was given up.
 */
export async function writeItems(
  file: DiskFile,
  items: Iterable<Uint8Array>,
  isStopped: () => boolean,
): Promise<{ readonly bytes: number; readonly chunkHashes: readonly Hex[] } | undefined> {
  const chunkHashes: Hex[] = []
  let parts: Uint8Array[] = []
  let length = 0
  let room = turnBytes
  const put = async (chunk: Uint8Array) => {
    await file.write(chunkHashes.length * chunkBytes, chunk)
    chunkHashes.push(sha256Hex(chunk))
  }
  for (const item of items) {
    const head = new Uint8Array(lengthBytes)
    new DataView(head.buffer).setUint32(0, item.length)
    parts.push(head, item)
    length += lengthBytes + item.length
    if (length >= chunkBytes) {
      const whole = concatBytes(...parts)
      const full = length - (length % chunkBytes)
      for (let at = 0; at < full; at += chunkBytes) await put(whole.subarray(at, at + chunkBytes))
      parts = [whole.slice(full)]
      length -= full
    }
    room -= itemCost + item.length
    if (room > 0) continue
    room = turnBytes
    await setImmediate()
    if (isStopped()) return undefined
  }
  const bytes = chunkHashes.length * chunkBytes + length
  if (length > 0) await put(concatBytes(...parts))
  await file.sync()
  return { bytes, chunkHashes }
}

/** Reads items one after the other. */
export type ItemReader = {
  /** @throws BadSnapshotError when there is none left. */
  next(): Promise<Uint8Array>
  /** Whether all were read. */
  isAtEnd(): boolean
  /** A reader that begins where this one is. */
  fork(): ItemReader
}

/** Reads the items of a file of so many bytes. */
export function readItems(file: DiskFile, bytes: number, from = 0): ItemReader {
  let at = from
  let window = new Uint8Array(0)
  let windowAt = from
  let room = turnBytes
  const take = async (length: number): Promise<Uint8Array> => {
    if (at + length > bytes) throw new BadSnapshotError('it ends inside an item', {})
    if (at + length > windowAt + window.length) {
      window = Uint8Array.from(await file.read(at, Math.max(length, turnBytes)))
      windowAt = at
    }
    const taken = window.slice(at - windowAt, at - windowAt + length)
    if (taken.length !== length) throw new BadSnapshotError('its file was cut', {})
    at += length
    return taken
  }
  return {
    async next() {
      const head = await take(lengthBytes)
      const item = await take(new DataView(head.buffer).getUint32(0))
      room -= itemCost + item.length
      if (room < 0) {
        room = turnBytes
        await setImmediate()
      }
      return item
    },
    isAtEnd: () => at === bytes,
    fork: () => readItems(file, bytes, at),
  }
}
