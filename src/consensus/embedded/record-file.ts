import {
  concatBytes,
  type Disk,
  type DiskFile,
  DomainError,
  equalBytes,
  type Logger,
} from '#primitives'
import { frame, frameHeadBytes, unframe } from './frame.ts'

/** An append-only file of records. */
export type RecordFile = {
  /** Adds a record to what the next `sync` writes; returns the offset it will have. */
  append(payload: Uint8Array): number
  /**
   * Durable when it resolves: all that was appended before. Calls may overlap. After a failure
   * every call fails: nobody knows what the disk holds until it is read again.
   */
  sync(): Promise<void>
  /** The synced record at an offset. @throws CorruptFileError when it does not read back. */
  read(offset: number): Promise<Uint8Array>
  /** Length with everything appended, in bytes. */
  sizeBytes(): number
  /**
   * Puts other records in place of all but the first, at once and durably; offsets change.
   *
   * @param payloads - asked when its turn comes; stands for everything appended until then.
   */
  rewrite(payloads: () => readonly Uint8Array[]): Promise<void>
  /** Waits for what is under way; what was appended without a `sync` is dropped. */
  close(): Promise<void>
}

/** What a record file is, and what becomes of a damaged one. */
export type RecordFilePlan = {
  readonly disk: Disk
  readonly path: string
  /** The first record; says whose file this is. */
  readonly header: Uint8Array
  /** Says in words whose file another first record means. */
  readonly whose: (header: Uint8Array) => string
  /**
   * `keep-prefix`: the file ends before the first damaged record. `refuse`: it ends before a last
   * record that was never written to its end; with any other damage it is not opened.
   */
  readonly onDamage: 'keep-prefix' | 'refuse'
  /** What a person can do about a damaged file: ends the error's message. */
  readonly remedy: string
  readonly logger: Logger
  /** What a file that is made begins with, after the header; `onRecord` is not told of it. */
  readonly initial?: readonly Uint8Array[]
  /** Called for every good record but the first, in order. */
  readonly onRecord: (payload: Uint8Array, offset: number) => void
}

/**
 * Opens or makes a record file and reads all of it once. What does not belong to the good prefix is
 * moved to `PATH.bad`, never in place of an earlier one. What was read is durable when it resolves.
 *
 * @throws WrongFileError when the file begins with another header; CorruptFileError when its header
 * is damaged, a record cannot be understood, or there is damage that `onDamage` refuses; and the
 * disk's own errors.
 */
export async function openRecordFile(plan: RecordFilePlan): Promise<RecordFile> {
  const { disk, path } = plan
  await disk.makeFolder(folderOf(path))
  const opened = ((await hasFile(disk, path)) && (await reopen(plan))) || (await begin(plan))
  return createRecordFile(plan, opened)
}

/** Whether there is such a file. */
export const hasFile = async (disk: Disk, path: string): Promise<boolean> =>
  (await disk.list(folderOf(path))).includes(nameOf(path))

/** The first record of a file, unchecked by any plan; undefined where none can be read. */
export async function readHeader(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  if (!(await hasFile(disk, path))) return undefined
  const file = await disk.open(path)
  try {
    const first = unframe(await file.read(0, maxHeaderBytes))
    return first.kind === 'record' ? first.payload : undefined
  } finally {
    await file.close()
  }
}

/** Headers say whose a file is: far less than this. */
const maxHeaderBytes = 4_096

/** A file that belongs to another network, operator or version. */
export class WrongFileError extends DomainError<'WrongFile', { path: string }> {
  override readonly code = 'WrongFile'
}

/** A file whose damage cannot be passed over. */
export class CorruptFileError extends DomainError<'CorruptFile', { path: string; offset: number }> {
  override readonly code = 'CorruptFile'
}

type Opened = { readonly file: DiskFile; readonly sizeBytes: number }

const chunkBytes = 1024 * 1024

/** The name under which a file is written before it takes its place. */
const newPath = (path: string): string => `${path}.new`

/** The folder of a path; '' for the top. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function createRecordFile(plan: RecordFilePlan, opened: Opened): RecordFile {
  let { file } = opened
  let writtenBytes = opened.sizeBytes
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  // One thing at a time; once one has failed, all that follow fail with its error.
  let lane = Promise.resolve()
  const take = () => {
    const batch = concatBytes(...waiting)
    waiting = []
    waitingBytes = 0
    return batch
  }
  const flush = async () => {
    const batch = take()
    if (batch.length === 0) return
    writtenBytes += batch.length
    await file.write(writtenBytes - batch.length, batch)
    await file.sync()
  }
  const replace = async (payloads: () => readonly Uint8Array[]) => {
    take()
    const before = file
    const content = payloads()
    writtenBytes = contentOf(plan, content).length
    file = (await writeWhole(plan, content)).file
    await before.close()
  }
  const run = (action: () => Promise<void>) => {
    lane = lane.then(action)
    return lane
  }
  return {
    append(payload) {
      const framed = frame(payload)
      waiting.push(framed)
      waitingBytes += framed.length
      return writtenBytes + waitingBytes - framed.length
    },
    sync: () => run(flush),
    read: (offset) => readRecord(plan, file, offset),
    sizeBytes: () => writtenBytes + waitingBytes,
    rewrite: (payloads) => run(() => replace(payloads)),
    async close() {
      await lane.catch(() => {}) // told to whoever began it
      lane = Promise.reject(new Error('defect: a record file was used after it was closed'))
      lane.catch(() => {})
      await file.close()
    },
  }
}

async function readRecord(plan: RecordFilePlan, file: DiskFile, offset: number) {
  const head = await file.read(offset, frameHeadBytes)
  const first = unframe(head)
  const whole = first.kind === 'incomplete' ? unframe(await file.read(offset, first.bytes)) : first
  if (whole.kind !== 'record') throw damaged(plan, offset)
  return whole.payload
}

const begin = (plan: RecordFilePlan): Promise<Opened> => writeWhole(plan, plan.initial ?? [])

/**
 * Writes a file beside its place, then moves it there: a crash leaves the old one or the new one.
 */
async function writeWhole(plan: RecordFilePlan, payloads: readonly Uint8Array[]): Promise<Opened> {
  const { disk, path } = plan
  const file = await disk.open(newPath(path))
  try {
    const content = contentOf(plan, payloads)
    await file.truncate(0)
    await file.write(0, content)
    await file.sync()
    await disk.rename(newPath(path), path)
    await disk.syncFolder(folderOf(path))
    return { file, sizeBytes: content.length }
  } catch (error) {
    await file.close()
    throw error
  }
}

const contentOf = ({ header }: RecordFilePlan, payloads: readonly Uint8Array[]): Uint8Array =>
  concatBytes(...[header, ...payloads].map(frame))

/** Undefined when not even the header had been written: then there is nothing to go on from. */
async function reopen(plan: RecordFilePlan): Promise<Opened | undefined> {
  const { disk, path, onDamage } = plan
  const file = await disk.open(path)
  try {
    const size = await file.size()
    const { goodBytes, isDamaged } = await scan(plan, file, size)
    if (isDamaged && (onDamage === 'refuse' || goodBytes === 0)) throw damaged(plan, goodBytes)
    if (goodBytes === 0 && onDamage === 'refuse') throw damaged(plan, 0)
    if (goodBytes < size) await setAside(plan, file, goodBytes, size)
    // A process that was killed may have left what only the system's memory holds.
    await file.sync()
    await disk.syncFolder(folderOf(path))
    if (goodBytes > 0) return { file, sizeBytes: goodBytes }
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  return undefined
}

/** Hands out good records; returns the length of the good prefix, and what ends it. */
async function scan(plan: RecordFilePlan, file: DiskFile, size: number) {
  let goodBytes = 0
  let held: Uint8Array = new Uint8Array(0)
  let readTo = 0
  while (true) {
    const found = unframe(held)
    if (found.kind === 'damaged') return { goodBytes, isDamaged: true }
    if (found.kind === 'record') {
      handOut(plan, found.payload, goodBytes)
      goodBytes += found.bytes
      held = held.subarray(found.bytes)
    } else if (readTo < size) {
      const wanted = Math.max(chunkBytes, found.bytes - held.length)
      const more = await file.read(readTo, Math.min(wanted, size - readTo))
      if (more.length === 0) return { goodBytes, isDamaged: false }
      readTo += more.length
      held = concatBytes(held, more)
    } else return { goodBytes, isDamaged: false }
  }
}

function handOut(plan: RecordFilePlan, payload: Uint8Array, offset: number): void {
  const { disk, path, header, whose, onRecord } = plan
  const name = disk.pathOf(path)
  try {
    if (offset > 0) onRecord(payload, offset)
    else if (!equalBytes(payload, header))
      throw new WrongFileError(`${name} ${whose(payload)}`, { path: name })
  } catch (error) {
    if (error instanceof WrongFileError || !(error instanceof DomainError)) throw error
    throw damaged(plan, offset, error)
  }
}

async function setAside(plan: RecordFilePlan, file: DiskFile, goodBytes: number, size: number) {
  const { disk, path, logger } = plan
  const names = await disk.list(folderOf(path))
  let aside = `${path}.bad`
  for (let copy = 2; names.includes(nameOf(aside)); copy++) aside = `${path}.bad.${copy}`
  const bad = await file.read(goodBytes, size - goodBytes)
  const kept = await disk.open(aside)
  try {
    await kept.write(0, bad)
    await kept.sync()
  } finally {
    await kept.close()
  }
  await disk.syncFolder(folderOf(path))
  await file.truncate(goodBytes)
  logger.warn('the end of a file was set aside', {
    path: disk.pathOf(path),
    aside: disk.pathOf(aside),
    bytes: bad.length,
    keptBytes: goodBytes,
  })
}

function damaged({ disk, path, remedy }: RecordFilePlan, offset: number, cause?: unknown) {
  const name = disk.pathOf(path)
  const message = `${name} is damaged at byte ${offset}: ${remedy}`
  return new CorruptFileError(message, { path: name, offset }, cause)
}
