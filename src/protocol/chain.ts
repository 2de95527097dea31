import type { Hex, Wei } from '#primitives'
import {
  type Codec,
  hash32,
  list,
  type OperatorId,
  optional,
  record,
  submittersPerCheckpoint,
  uint16,
  uint32,
  uint64,
  uint256,
} from '#records'

/** What the network has agreed on of L1. */
export type AgreedL1 = {
  /** Block of the last agreed event, number of events, and the digest chained over them. */
  readonly block: number
  readonly events: number
  readonly digest: Hex
}

/**
 * The submission windows in force: from the cut of checkpoint `first` until the ledger sees one
 * land. Checkpoints cut meanwhile keep them, so superseding never resets a window.
 */
export type Windows = {
  readonly first: number
  readonly startS: number
  readonly windowS: number
  readonly submitters: readonly OperatorId[]
  /** When the first certificate under these windows stood; 0 before. */
  readonly certifiedMs: number
}

/** The newest checkpoint that L1 has recorded. */
export type Landed = {
  readonly index: number
  readonly size: number
}

/** The ledger's single values: everything that is not a table. */
export type Chain = {
  /** The network's randomness: SHA-256(mix ‖ beta) with every proof. */
  readonly mix: Hex
  readonly l1: AgreedL1
  /** Peaks of the outbox, left to right, and its number of leaves. */
  readonly outboxSize: number
  readonly outboxPeaks: readonly Hex[]
  /** Last checkpoint cut: its index (0: none), size and time. */
  readonly cutIndex: number
  readonly cutSize: number
  readonly cutMs: number
  readonly windows: Windows | undefined
  readonly landed: Landed
  readonly epoch: number
  readonly epochEndsMs: number
  /** The epoch whose inputs were looked at last, from 1: once in each. */
  readonly frozenEpoch: number
  /** Dust and unpaid shares, kept for the common pool. */
  readonly pool: Wei
  /** All that there is in accounts, reserved fees and the pool; only deposits add to it. */
  readonly supply: Wei
}

const windowsCodec: Codec<Windows> = record({
  first: uint64,
  startS: uint64,
  windowS: uint32,
  submitters: list(uint16, submittersPerCheckpoint),
  certifiedMs: uint64,
})

export const chainCodec: Codec<Chain> = record({
  mix: hash32,
  l1: record<AgreedL1>({ block: uint64, events: uint64, digest: hash32 }),
  outboxSize: uint64,
  outboxPeaks: list(hash32, 64),
  cutIndex: uint64,
  cutSize: uint64,
  cutMs: uint64,
  windows: optional(windowsCodec),
  landed: record<Landed>({ index: uint64, size: uint64 }),
  epoch: uint64,
  epochEndsMs: uint64,
  frozenEpoch: uint64,
  pool: uint256<Wei>(),
  supply: uint256<Wei>(),
})
