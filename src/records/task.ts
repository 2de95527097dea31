import type { Hex, Wei } from '#primitives'
import {
  address,
  byteList,
  type Codec,
  fixedHex,
  hash32,
  list,
  oneOf,
  optional,
  record,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
  uint256,
} from './codec.ts'
import type { OperatorId } from './operator.ts'
import type { ServiceName } from './service.ts'

/** Most operators that one task may draw. */
export const maxCommittee = 200
/** Bytes of one task's payload and of one result. */
export const maxTaskPayloadBytes = 4096
export const maxResultBytes = 4096

/** What a client asks for, and signs (EIP-712 `Task`). Its digest is the task's id. */
export type TaskRequest = {
  readonly client: Hex
  readonly service: ServiceName
  readonly payload: Uint8Array
  /** The most that the client pays; refused when the service asks more. */
  readonly maxFee: Wei
  /** Not accepted after this time; bounds how long the ledger must remember the id. */
  readonly validUntilMs: number
  /** 32 random bytes, so that the same question can be asked twice. */
  readonly salt: Hex
}

export const taskRequestCodec: Codec<TaskRequest> = record({
  client: address,
  service: text(31),
  payload: byteList(maxTaskPayloadBytes),
  maxFee: uint256<Wei>(),
  validUntilMs: uint64,
  salt: hash32,
})

/**
 * accepted: waits for its draw · committing, revealing: with its committee · agreed: its result is
 * a leaf · settled, expired: ended (paid, or refunded with a reason).
 */
export const taskStatuses = [
  'accepted',
  'committing',
  'revealing',
  'agreed',
  'settled',
  'expired',
] as const
export type TaskStatus = (typeof taskStatuses)[number]

/**
 * none: not audited · open: an audit is under way · upheld, refuted: the audit confirmed, or
 * contradicted, the agreed result · void: the audit came to nothing.
 */
export const auditStates = ['none', 'open', 'upheld', 'refuted', 'void'] as const
export type AuditState = (typeof auditStates)[number]

/** The attempt under which a task is executed again for its audit; other draws come before. */
export const auditAttempt = 3

/** One drawn operator and what it has reported in this attempt. */
export type CommitteeMember = {
  readonly operator: OperatorId
  readonly weight: number
  /** Blinded digest of its result, once committed, and the block that holds it. */
  readonly digest: Hex | undefined
  readonly committedAt: number
  /** Its result, once validly revealed. */
  readonly result: Uint8Array | undefined
}

/** A client's request and how far it has come; ended ones are kept until their id may return. */
export type Task = {
  readonly id: Hex
  readonly request: TaskRequest
  readonly status: TaskStatus
  /** Reserved while it is open; paid when it is settled; 0 when it has expired. */
  readonly fee: Wei
  /** 1 for the first draw, 2 for the redraw, `auditAttempt` in an audit; 0 before. */
  readonly attempt: number
  readonly acceptedHeight: number
  readonly drawnHeight: number
  /** When the present phase ends; while accepted: unused; after the end: when it is forgotten. */
  readonly deadlineMs: number
  readonly committee: readonly CommitteeMember[]
  /** The agreed result and the operators paid for it. */
  readonly result: Uint8Array | undefined
  readonly agreeing: readonly OperatorId[]
  /** Outbox leaf of the result; meaningless before `agreed`. */
  readonly leafIndex: number
  /** Why it ended without a result; empty otherwise. */
  readonly reason: string
  readonly audit: AuditState
}

const memberCodec: Codec<CommitteeMember> = record({
  operator: uint16,
  weight: uint32,
  digest: optional(fixedHex(32)),
  committedAt: uint64,
  result: optional(byteList(maxResultBytes)),
})

export const taskCodec: Codec<Task> = record({
  id: hash32,
  request: taskRequestCodec,
  status: oneOf(taskStatuses),
  fee: uint256<Wei>(),
  attempt: uint8,
  acceptedHeight: uint64,
  drawnHeight: uint64,
  deadlineMs: uint64,
  committee: list(memberCodec, maxCommittee),
  result: optional(byteList(maxResultBytes)),
  agreeing: list(uint16, maxCommittee),
  leafIndex: uint64,
  reason: text(64),
  audit: oneOf(auditStates),
})
