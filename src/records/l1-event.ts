import { fromHex, type Hex, sha256Hex } from '#primitives'
import {
  address,
  bool,
  type Codec,
  encode,
  hash32,
  record,
  tagged,
  uint8,
  uint16,
  uint64,
  uint256,
} from './codec.ts'
import type { OperatorId } from './operator.ts'

/** Where on L1 an event stands. */
export type L1Position = {
  readonly block: number
  readonly transaction: Hex
  readonly logIndex: number
}

/** `Outbox.CheckpointRecorded`: a checkpoint was verified and recorded. */
export type CheckpointRecorded = L1Position & {
  readonly kind: 'checkpoint-recorded'
  readonly index: number
  readonly size: number
  readonly root: Hex
  /**
   * Account that sent it, the operator it acted for (0: permit of none), and the window, from 0.
   */
  readonly submitter: Hex
  readonly operator: OperatorId
  readonly window: number
  /** block.timestamp in seconds. */
  readonly timeS: number
}

/** `Outbox.LeafExecuted`: a leaf was proven and handed to its consumer. */
export type LeafExecuted = L1Position & {
  readonly kind: 'leaf-executed'
  readonly leafIndex: number
  readonly subject: Hex
  /** Whether the consumer took it; a reverting consumer does not block the outbox. */
  readonly success: boolean
  readonly executor: Hex
}

/** `ServiceManager.Deposited`: a client paid in; its ledger account is credited. */
export type Deposited = L1Position & {
  readonly kind: 'deposited'
  readonly account: Hex
  readonly amountWei: bigint
}

/** What the ledger wants to know of L1. */
export type L1Event = CheckpointRecorded | LeafExecuted | Deposited

const position = { block: uint64, transaction: hash32, logIndex: uint64 }

export const l1EventCodec: Codec<L1Event> = tagged<L1Event>({
  'checkpoint-recorded': record({
    ...position,
    index: uint64,
    size: uint64,
    root: hash32,
    submitter: address,
    operator: uint16,
    window: uint8,
    timeS: uint64,
  }),
  'leaf-executed': record({
    ...position,
    leafIndex: uint64,
    subject: hash32,
    success: bool,
    executor: address,
  }),
  deposited: record({ ...position, account: address, amountWei: uint256() }),
})

/** Digest of an L1 history: the digest before, and the next event. Zero before the first. */
export const chainL1Digest = (digest: Hex, event: L1Event): Hex =>
  sha256Hex(fromHex(digest, 32), encode(l1EventCodec, event))

/** The digest of an L1 without any relevant event. */
export const emptyL1Digest: Hex = `0x${'00'.repeat(32)}`
