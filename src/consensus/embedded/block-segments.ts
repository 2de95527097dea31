import type { Disk, Hex, Logger } from '#primitives'
import { decode } from '#records'
import { ownerHeader, whoseFile } from './owner.ts'
import { CorruptFileError, folderOf, openRecordFile, type RecordFile } from './record-file.ts'
import { type StoredBlock, storedCodec } from './stored-block.ts'

/** A file with the blocks of some heights, in order. */
export type Segment = {
  readonly path: string
  /** Height of its first block, which may be still to come. */
  readonly first: number
  /** Blocks that it holds. */
  readonly count: () => number
  /** @throws CorruptFileError when the block does not read back as it was written. */
  readonly load: (height: number) => Promise<StoredBlock>
  /** Durable when it resolves. */
  readonly append: (payload: Uint8Array) => Promise<void>
  readonly close: () => Promise<void>
}

/** Whose blocks they are, and where. */
export type SegmentPlan = {
  readonly disk: Disk
  readonly networkId: Hex
  readonly logger: Logger
}

/** What helps against damage that a restart cannot pass over. */
export const blocksRemedy = 'move it away and start again; the blocks come from peers'

/**
 * Opens a file of blocks; makes it when it is missing.
 *
 * @param first - height of its first block.
 * @param onDamage - as for any record file.
 * @throws WrongFileError, CorruptFileError, and the disk's own errors.
 */
export async function openSegment(
  { disk, networkId, logger }: SegmentPlan,
  path: string,
  first: number,
  onDamage: 'keep-prefix' | 'refuse',
): Promise<Segment> {
  const offsets: number[] = []
  const mine = { version: 2, networkId, validator: undefined }
  const file = await openRecordFile({
    ...{ disk, path, logger, onDamage, header: ownerHeader(mine), remedy: blocksRemedy },
    whose: whoseFile(mine),
    onRecord: (_, offset) => void offsets.push(offset),
  })
  return {
    ...{ path, first },
    count: () => offsets.length,
    load: (height) => loadFrom(disk.pathOf(path), file, offsets[height - first], height),
    async append(payload) {
      const offset = file.append(payload)
      await file.sync()
      offsets.push(offset)
    },
    close: () => file.close(),
  }
}

async function loadFrom(
  name: string,
  file: RecordFile,
  offset: number | undefined,
  height: number,
): Promise<StoredBlock> {
  if (offset === undefined) throw damaged(`${name} lacks block ${height}`, name, 0)
  const stored = decode(storedCodec, await file.read(offset))
  if (stored.height === height) return stored
  throw damaged(`${name} has block ${stored.height} in place of ${height}`, name, offset)
}

const damaged = (fault: string, path: string, offset: number) =>
  new CorruptFileError(`${fault}: ${blocksRemedy}`, { path, offset })

/** The heights of a file that is full, and its name. */
export type SealedName = { readonly path: string; readonly first: number; readonly last: number }

/** `blocks.log` with heights 1 to 10 is sealed as `blocks-1-10.log`. */
export function sealedName(path: string, first: number, last: number): SealedName {
  return { path: `${path.replace(/\.log$/, '')}-${first}-${last}.log`, first, last }
}

/**
 * The full files beside the newest one, by height.
 *
 * @throws CorruptFileError when one between two others is missing.
 */
export async function sealedBeside(disk: Disk, path: string): Promise<SealedName[]> {
  const folder = folderOf(path)
  const prefix = folder === '' ? '' : `${folder}/`
  const found = (await disk.list(folder)).flatMap((name) => {
    const [, first, last] = /-(\d{1,15})-(\d{1,15})\.log$/.exec(name) ?? []
    const sealed = sealedName(path, Number(first), Number(last))
    return `${prefix}${name}` === sealed.path ? [sealed] : []
  })
  found.sort((a, b) => a.first - b.first)
  for (const [i, { first }] of found.entries()) {
    const before = found[i - 1]
    if (before && before.last + 1 !== first)
      throw damaged(
        `no file beside ${disk.pathOf(path)} has blocks ${before.last + 1} to ${first - 1}`,
        disk.pathOf(path),
        0,
      )
  }
  return found
}
