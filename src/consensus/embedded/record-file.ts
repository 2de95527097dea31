import { type FileHandle, mkdir, open, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { assert, concatBytes, DomainError, equalBytes, type Logger } from '#primitives'
import { crc32c } from './crc32c.ts'

/** An append-only file of records: crc32c (4 bytes) ‖ length (4 bytes) ‖ payload. */
export type RecordFile = {
  /** Adds a record to what the next `sync` writes; returns the offset it will have. */
  append(payload: Uint8Array): number
  /** Durable when it resolves: writes what was appended, then fdatasync. */
  sync(): Promise<void>
  /** The synced record at an offset. */
  read(offset: number): Promise<Uint8Array>
  /** Length with everything appended, in bytes. */
  sizeBytes(): number
  /** Forgets all records but the first, durably. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** No record is larger: a block with its commit, several times over. */
export const maxRecordBytes = 16 * 1024 * 1024

/**
 * Opens or makes a record file and reads all of it once. A bad or incomplete record and everything
 * after it is moved to `PATH.bad`: the longest good prefix stays.
 *
 * @param header - the first record; says whose file this is.
 * @param onRecord - called for every good record but the header, in order.
 * @throws WrongFileError when the file begins with another header.
 */
export async function openRecordFile(
  path: string,
  header: Uint8Array,
  logger: Logger,
  onRecord: (payload: Uint8Array, offset: number) => void,
): Promise<RecordFile> {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(path, 'a+')
  try {
    const goodBytes = await scan(handle, path, header, onRecord)
    const { size } = await handle.stat()
    if (goodBytes < size) await setAside(handle, path, goodBytes, size, logger)
    const file = createRecordFile(handle, goodBytes, frame(header))
    if (goodBytes === 0) await begin(file, path, header)
    return file
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** A file that belongs to something else. */
export class WrongFileError extends DomainError<'WrongFile', { path: string }> {
  override readonly code = 'WrongFile'
}

const frameBytes = 8
const chunkBytes = 1024 * 1024

function createRecordFile(handle: FileHandle, goodBytes: number, header: Uint8Array): RecordFile {
  let sizeBytes = goodBytes
  let waiting: Uint8Array[] = []
  return {
    append(payload) {
      assert(payload.length <= maxRecordBytes, 'record within its bound')
      const offset = sizeBytes
      const framed = frame(payload)
      waiting.push(framed)
      sizeBytes += framed.length
      return offset
    },
    async sync() {
      const batch = concatBytes(...waiting)
      waiting = []
      await writeAll(handle, batch)
      await handle.datasync()
    },
    async read(offset) {
      const { length } = lengths(await readExactly(handle, offset, frameBytes))
      const whole = await readExactly(handle, offset, frameBytes + length)
      assert(isGood(whole), 'a synced record reads back as it was written')
      return whole.subarray(frameBytes)
    },
    sizeBytes: () => sizeBytes,
    async clear() {
      waiting = []
      await handle.truncate(header.length)
      await handle.datasync()
      sizeBytes = header.length
    },
    close: () => handle.close(),
  }
}

async function begin(file: RecordFile, path: string, header: Uint8Array): Promise<void> {
  file.append(header)
  await file.sync()
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Hands out good records; returns the length of the good prefix. */
async function scan(
  handle: FileHandle,
  path: string,
  header: Uint8Array,
  onRecord: (payload: Uint8Array, offset: number) => void,
): Promise<number> {
  const { size } = await handle.stat()
  let good = 0
  let held: Uint8Array = new Uint8Array(0)
  let readTo = 0
  while (true) {
    const whole = takeFrame(held)
    if (whole === 'bad') return good
    if (whole) {
      const payload = whole.subarray(frameBytes)
      if (good > 0) onRecord(payload, good)
      else if (!equalBytes(payload, header))
        throw new WrongFileError(`${path} belongs to another network or validator`, { path })
      good += whole.length
      held = held.subarray(whole.length)
    } else if (readTo < size) {
      const more = await readExactly(handle, readTo, Math.min(chunkBytes, size - readTo))
      readTo += more.length
      held = concatBytes(held, more)
    } else return good
  }
}

/** The first frame of some bytes; undefined when more bytes are needed. */
function takeFrame(held: Uint8Array): Uint8Array | 'bad' | undefined {
  if (held.length < frameBytes) return undefined
  const { length } = lengths(held)
  if (length > maxRecordBytes) return 'bad'
  if (held.length < frameBytes + length) return undefined
  const whole = held.subarray(0, frameBytes + length)
  return isGood(whole) ? whole : 'bad'
}

async function setAside(
  handle: FileHandle,
  path: string,
  goodBytes: number,
  size: number,
  logger: Logger,
): Promise<void> {
  const bad = await readExactly(handle, goodBytes, size - goodBytes)
  await writeFile(`${path}.bad`, bad)
  await handle.truncate(goodBytes)
  await handle.datasync()
  logger.warn('bad end of a file was set aside', { path, bytes: bad.length, kept: goodBytes })
}

function frame(payload: Uint8Array): Uint8Array {
  const whole = new Uint8Array(frameBytes + payload.length)
  const view = new DataView(whole.buffer)
  view.setUint32(4, payload.length)
  whole.set(payload, frameBytes)
  view.setUint32(0, crc32c(whole.subarray(4)))
  return whole
}

function lengths(framed: Uint8Array) {
  const view = new DataView(framed.buffer, framed.byteOffset, frameBytes)
  return { crc: view.getUint32(0), length: view.getUint32(4) }
}

/** The checksum covers the length too. */
const isGood = (whole: Uint8Array): boolean => crc32c(whole.subarray(4)) === lengths(whole).crc

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done)
    done += bytesWritten
  }
}

async function readExactly(handle: FileHandle, offset: number, length: number) {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw new ShortReadError('file ends early', { offset, length })
    done += bytesRead
  }
  return bytes
}

/** A file that is shorter than its own records say. */
export class ShortReadError extends DomainError<'ShortRead', { offset: number; length: number }> {
  override readonly code = 'ShortRead'
}
