import type { SignSlot } from '#consensus'
import type { Hex } from '#primitives'
import {
  type Codec,
  fixedHex,
  hash32,
  oneOf,
  optional,
  record,
  tagged,
  uint32,
  uint64,
} from '#records'

/** What an operator signs at most once a position: one purpose each, with a key of its own. */
export const purposes = ['vote', 'report', 'transaction', 'nonce'] as const
export type Purpose = (typeof purposes)[number]

/** Whose signatures a guard keeps. */
export type GuardOwner = {
  readonly networkId: Hex
  /** The operator's consensus key. */
  readonly operator: Hex
}

/** One line of a guard's file. What was signed is the lines' sum, from the first to the last. */
export type GuardRecord =
  /** A process has begun: nonce indices are counted from 0 again, of this instance. */
  | { readonly kind: 'start'; readonly instance: Hex }
  | { readonly kind: 'vote'; readonly slot: SignSlot; readonly digest: Hex }
  | {
      readonly kind: 'report'
      readonly sequence: number
      readonly digest: Hex
      readonly signature: Hex
    }
  /** An L1 nonce is for the call with this digest, whatever its fees. */
  | { readonly kind: 'transaction'; readonly nonce: number; readonly digest: Hex }
  /** The call under an L1 nonce was given up: another may have the nonce. */
  | { readonly kind: 'release'; readonly nonce: number }
  /** Commitments of threshold nonces below this index may be published. */
  | { readonly kind: 'reserve'; readonly upTo: number }
  /** A threshold nonce is for one session; the share it gave. */
  | { readonly kind: 'share'; readonly index: number; readonly digest: Hex; readonly share: Hex }
  /** What was signed elsewhere or long ago: nothing up to here is signed any more. */
  | ({ readonly kind: 'floor' } & Floor)

/** How far has been signed, by purpose; undefined where nothing was. */
export type Floor = {
  /** Last slot that was voted in. */
  readonly vote: SignSlot | undefined
  /** Last sequence that was reported. */
  readonly report: number | undefined
  /** L1 nonces below are taken. */
  readonly transaction: number
  /** Threshold nonces of this instance below are taken. */
  readonly index: number
}

/** The steps of a round, in the order in which they are signed. */
const steps = ['proposal', 'prevote', 'precommit'] as const

const slotCodec: Codec<SignSlot> = record({ height: uint64, round: uint32, step: oneOf(steps) })

export const guardRecordCodec: Codec<GuardRecord> = tagged<GuardRecord>({
  start: record({ instance: hash32 }),
  vote: record({ slot: slotCodec, digest: hash32 }),
  report: record({ sequence: uint64, digest: hash32, signature: fixedHex(65) }),
  transaction: record({ nonce: uint64, digest: hash32 }),
  release: record({ nonce: uint64 }),
  reserve: record({ upTo: uint64 }),
  share: record({ index: uint64, digest: hash32, share: fixedHex(32) }),
  floor: record({
    vote: optional(slotCodec),
    report: optional(uint64),
    transaction: uint64,
    index: uint64,
  }),
})
