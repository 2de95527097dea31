import { assert, type Disk, type Hex, type Logger } from '#primitives'
import { type Codec, decode, encode, hash32, record, uint64 } from '#records'
import type { ValidatorSchedule, ValidatorSet } from '../core/index.ts'
import { type Commit, commitCodec } from './block.ts'
import { blockBytes, scheduleCodec, validatorSetCodec } from './codecs.ts'
import { ownerHeader, whoseFile } from './owner.ts'
import { CorruptFileError, openRecordFile } from './record-file.ts'

/** A decided block, why it is final, and what executing it gave. */
export type StoredBlock = {
  readonly height: number
  /** Canonical bytes of the block. */
  readonly block: Uint8Array
  readonly commit: Commit
  /** App hash after the block. */
  readonly appHash: Hex
  /** Who decided it. */
  readonly validators: ValidatorSet
  /** Validators of the next height and of the one after. */
  readonly schedule: ValidatorSchedule
}

/** Keeps decided blocks from height 1 on, without gaps. */
export type BlockStore = {
  /** Its file, for messages. */
  readonly name: string
  /** Height of the last block; 0 before the first. */
  height(): number
  load(height: number): Promise<StoredBlock | undefined>
  /** Durable when it resolves. The height must be the next one. */
  save(stored: StoredBlock): Promise<void>
  close(): Promise<void>
}

const storedCodec: Codec<StoredBlock> = record({
  height: uint64,
  block: blockBytes,
  commit: commitCodec,
  appHash: hash32,
  validators: validatorSetCodec,
  schedule: scheduleCodec,
})

/**
 * A block store in one append-only file. What was not written to its end, or is damaged, is kept
 * beside it: peers have those blocks.
 *
 * @throws WrongFileError when the file belongs to another network or version; CorruptFileError when
 * its beginning is damaged and, from `load`, when a block does not read back as it was written.
 */
export async function openFileBlockStore(
  path: string,
  networkId: Hex,
  logger: Logger,
  disk: Disk,
): Promise<BlockStore> {
  const offsets: number[] = []
  const mine = { version: 2, networkId, validator: undefined }
  const file = await openRecordFile({
    ...{ disk, path, logger, header: ownerHeader(mine), remedy },
    whose: whoseFile(mine),
    onDamage: 'keep-prefix',
    onRecord: (_, offset) => void offsets.push(offset),
  })
  return {
    name: disk.pathOf(path),
    height: () => offsets.length,
    async load(height) {
      const offset = offsets[height - 1]
      if (offset === undefined) return undefined
      const stored = decode(storedCodec, await file.read(offset))
      if (stored.height === height) return stored
      const name = disk.pathOf(path)
      const message = `${name} has block ${stored.height} in place of ${height}: ${remedy}`
      throw new CorruptFileError(message, { path: name, offset })
    },
    async save(stored) {
      assert(stored.height === offsets.length + 1, 'blocks are stored without gaps')
      const offset = file.append(encode(storedCodec, stored))
      await file.sync()
      offsets.push(offset)
    },
    close: () => file.close(),
  }
}

/** What helps against damage that a restart cannot pass over. */
const remedy = 'move it away and start again; the blocks come from peers'

/** A block store that dies with the process. */
export function createMemoryBlockStore(): BlockStore {
  const blocks: StoredBlock[] = []
  return {
    name: 'memory',
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
