import type { Hex } from '#primitives'
import {
  address,
  type Codec,
  fixedHex,
  hash32,
  list,
  oneOf,
  optional,
  record,
  uint8,
  uint16,
  uint32,
  uint64,
} from './codec.ts'
import type { OperatorId } from './operator.ts'
import { type Checkpoint, checkpointCodec } from './outbox.ts'

/** Most operators that one signing session may hold. */
export const maxSigners = 200

/** One operator's pair of nonce commitments, published before use; `index` is never reused. */
export type NonceCommitment = {
  readonly index: number
  /** Compressed secp256k1 points. */
  readonly hiding: Hex
  readonly binding: Hex
}

export const nonceCommitmentCodec: Codec<NonceCommitment> = record({
  index: uint64,
  hiding: fixedHex(33),
  binding: fixedHex(33),
})

/** A signer of a session, the nonce it must use, and its share once reported. */
export type Signer = {
  readonly operator: OperatorId
  readonly nonce: NonceCommitment
  /** 32-byte scalar, once it is in. */
  readonly share: Hex | undefined
}

/**
 * One attempt to sign one checkpoint: message, signers and nonces, fixed by committed state. Its
 * digest is what a signer's guard binds a nonce to.
 */
export type Session = {
  readonly checkpoint: number
  /** From 1 up; a new attempt uses fresh nonces. */
  readonly attempt: number
  readonly message: Hex
  readonly signers: readonly Signer[]
  /** Block that opened it, and that block's time. */
  readonly openedHeight: number
  readonly openedMs: number
}

/** pending: being signed · certified · landed on L1 (this index or a later one) · abandoned. */
export const checkpointStatuses = ['pending', 'certified', 'landed', 'abandoned'] as const
export type CheckpointStatus = (typeof checkpointStatuses)[number]

/** The group's signature: compressed point R (33 bytes) and scalar z (32 bytes). */
export type GroupSignature = Hex

/** A checkpoint and what has become of it. */
export type CheckpointRecord = {
  readonly checkpoint: Checkpoint
  readonly status: CheckpointStatus
  /** Block time at which it was cut and certified; 0 before. */
  readonly cutMs: number
  readonly certifiedMs: number
  readonly signature: GroupSignature | undefined
  /** How L1 recorded it; undefined before, and when a later checkpoint landed in its place. */
  readonly recorded: Recording | undefined
}

/** Where, when and by whom a checkpoint was brought to L1. */
export type Recording = {
  readonly transaction: Hex
  readonly block: number
  readonly timeS: number
  readonly submitter: Hex
  readonly operator: OperatorId
  /** Submission window it fell in, from 0. */
  readonly window: number
}

const signerCodec: Codec<Signer> = record({
  operator: uint16,
  nonce: nonceCommitmentCodec,
  share: optional(fixedHex(32)),
})

export const sessionCodec: Codec<Session> = record({
  checkpoint: uint64,
  attempt: uint32,
  message: hash32,
  signers: list(signerCodec, maxSigners),
  openedHeight: uint64,
  openedMs: uint64,
})

export const checkpointRecordCodec: Codec<CheckpointRecord> = record({
  checkpoint: checkpointCodec,
  status: oneOf(checkpointStatuses),
  cutMs: uint64,
  certifiedMs: uint64,
  signature: optional(fixedHex(65)),
  recorded: optional(
    record<Recording>({
      transaction: hash32,
      block: uint64,
      timeS: uint64,
      submitter: address,
      operator: uint16,
      window: uint8,
    }),
  ),
})
