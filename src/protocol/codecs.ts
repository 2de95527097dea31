import type { Wad, Wei } from '#primitives'
import {
  type Codec,
  hash32,
  list,
  nonceCommitmentCodec,
  record,
  uint16,
  uint64,
  uint256,
} from '#records'
import type { Delivery, NoncePool, ScheduledChange, Score } from './ledger.ts'

/** Nonce commitments that one operator may have published. */
export const maxNonces = 128

export const noncePoolCodec: Codec<NoncePool> = record({
  next: uint64,
  unused: list(nonceCommitmentCodec, maxNonces),
})

export const scoreCodec: Codec<Score> = record({
  timeliness: uint256<Wad>(),
  agreement: uint256<Wad>(),
  drawn: uint64,
  late: uint64,
  missing: uint64,
  outlying: uint64,
  earned: uint256<Wei>(),
})

export const deliveryCodec: Codec<Delivery> = record({
  leafIndex: uint64,
  task: hash32,
  assignee: uint16,
  landedMs: uint64,
})

export const scheduledCodec: Codec<ScheduledChange> = record({ value: uint256(), atMs: uint64 })
