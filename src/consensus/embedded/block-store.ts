import { assert, type Disk, type Hex, type Logger } from '#primitives'
import { encode } from '#records'
import {
  openSegment,
  type SealedName,
  type Segment,
  sealedBeside,
  sealedName,
} from './block-segments.ts'
import { folderOf } from './record-file.ts'
import { type StoredBlock, storedCodec } from './stored-block.ts'

/** Keeps decided blocks without gaps, the newest ones. */
export type BlockStore = {
  /** Its file, for messages. */
  readonly name: string
  /** Height of the first block that is kept; 1 as long as none was pruned. */
  first(): number
  /** Height of the last block; 0 before the first. */
  height(): number
  /** Undefined below `first` and above `height`. */
  load(height: number): Promise<StoredBlock | undefined>
  /** Durable when it resolves. The height must be the next one. */
  save(stored: StoredBlock): Promise<void>
  close(): Promise<void>
}

/** How many blocks a store keeps. */
export type Retention = {
  /** At least so many, the newest; absent: all. */
  readonly keptBlocks?: number | undefined
  /** Blocks of one file, for tests. */
  readonly segmentBlocks?: number
}

/** A file of the devnet's blocks under light load has 14 MB then. */
const defaultSegmentBlocks = 10_000

/**
 * A block store in append-only files. A start reads the newest alone; full ones take their heights
 * as a name, are read when somebody asks for their blocks, and go as a whole. What was not written
 * to its end in the newest, or is damaged, is kept beside it: peers have those blocks.
 *
 * @throws WrongFileError when a file belongs to another network or version; CorruptFileError when
 * its beginning is damaged or a file is missing and, from `load`, when a block does not read back
 * as it was written.
 */
export async function openFileBlockStore(
  path: string,
  networkId: Hex,
  logger: Logger,
  disk: Disk,
  retention: Retention = {},
): Promise<BlockStore> {
  const { keptBlocks = Number.POSITIVE_INFINITY } = retention
  const { segmentBlocks = defaultSegmentBlocks } = retention
  const plan = { disk, networkId, logger }
  const sealed = await sealedBeside(disk, path)
  const open = new Map<SealedName, Promise<Segment>>()
  let newest = await openSegment(plan, path, (sealed.at(-1)?.last ?? 0) + 1, 'keep-prefix')
  const height = () => newest.first + newest.count() - 1
  const read = (full: SealedName) => {
    const known = open.get(full) ?? openSegment(plan, full.path, full.first, 'refuse')
    open.set(full, known)
    known.catch(() => open.delete(full)) // whoever asked hears of it; there is nothing to close
    return known
  }
  const seal = async () => {
    const full = sealedName(path, newest.first, height())
    await newest.close()
    await disk.rename(path, full.path)
    sealed.push(full)
    newest = await openSegment(plan, path, full.last + 1, 'keep-prefix')
    await prune()
  }
  /** The last full one stays: an empty newest one would not know its heights without it. */
  const prune = async () => {
    for (let oldest = sealed[0]; oldest && sealed.length > 1; oldest = sealed[0]) {
      if (height() - oldest.last < keptBlocks) return
      await (await open.get(oldest))?.close()
      open.delete(oldest)
      sealed.shift()
      await disk.remove(oldest.path)
      await disk.syncFolder(folderOf(path))
    }
  }
  return {
    name: disk.pathOf(path),
    first: () => sealed[0]?.first ?? newest.first,
    height,
    async load(wanted) {
      if (wanted > height()) return undefined
      if (wanted >= newest.first) return newest.load(wanted)
      const full = sealed.find(({ first, last }) => first <= wanted && wanted <= last)
      return full && (await read(full)).load(wanted)
    },
    async save(stored) {
      assert(stored.height === height() + 1, 'blocks are stored without gaps')
      if (newest.count() >= segmentBlocks) await seal()
      await newest.append(encode(storedCodec, stored))
    },
    async close() {
      for (const one of open.values()) await (await one).close()
      await newest.close()
    },
  }
}

/** A block store that dies with the process. */
export function createMemoryBlockStore(): BlockStore {
  const blocks: StoredBlock[] = []
  return {
    name: 'memory',
    first: () => 1,
    height: () => blocks.length,
    load: (height) => Promise.resolve(blocks[height - 1]),
    save(stored) {
      assert(stored.height === blocks.length + 1, 'blocks are stored without gaps')
      blocks.push(stored)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
}
