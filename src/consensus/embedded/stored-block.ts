import type { Hex } from '#primitives'
import { type Codec, hash32, record, uint64 } from '#records'
import type { ValidatorSchedule, ValidatorSet } from '../core/index.ts'
import { type Commit, commitCodec } from './block.ts'
import { blockBytes, scheduleCodec, validatorSetCodec } from './codecs.ts'

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

/** How a block is stored. */
export const storedCodec: Codec<StoredBlock> = record({
  height: uint64,
  block: blockBytes,
  commit: commitCodec,
  appHash: hash32,
  validators: validatorSetCodec,
  schedule: scheduleCodec,
})
