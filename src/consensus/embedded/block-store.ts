import { assert, type Hex, type Logger } from '#primitives'
import { type Codec, decode, encode, hash32, record, uint32, uint64 } from '#records'
import type { ValidatorSchedule, ValidatorSet } from '../core/index.ts'
import { type Commit, commitCodec } from './block.ts'
import { blockBytes, scheduleCodec, validatorSetCodec } from './codecs.ts'
import { openRecordFile, type RecordFile } from './record-file.ts'

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
 * A block store in one append-only file. A damaged end is set aside; peers have those blocks.
 *
 * @throws WrongFileError when the file belongs to another network.
 */
export async function openFileBlockStore(
  path: string,
  networkId: Hex,
  logger: Logger,
): Promise<BlockStore> {
  const offsets: number[] = []
  const header = encode(ownerCodec, { version: 1, networkId })
  const file: RecordFile = await openRecordFile(path, header, logger, (_, offset) => {
    offsets.push(offset)
  })
  return {
    height: () => offsets.length,
    async load(height) {
      const offset = offsets[height - 1]
      return offset === undefined ? undefined : decode(storedCodec, await file.read(offset))
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

/** A block store that dies with the process. */
export function createMemoryBlockStore(): BlockStore {
  const blocks: StoredBlock[] = []
  return {
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

type Owner = { readonly version: number; readonly networkId: Hex }
const ownerCodec: Codec<Owner> = record({ version: uint32, networkId: hash32 })
