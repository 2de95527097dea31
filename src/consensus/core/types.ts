import type { Hex } from '#primitives'
import type { ValidatorSchedule } from './validators.ts'

/** Hash of a block. The core never sees more of it. */
export type BlockId = Hex

/** The paper's two kinds of vote, in their order within a round. */
export type VoteStep = 'prevote' | 'precommit'

/** A vote before it is signed; `value` undefined is the paper's nil. */
export type Ballot = {
  readonly step: VoteStep
  readonly height: number
  readonly round: number
  readonly value: BlockId | undefined
  /** ed25519 key of the voter. */
  readonly validator: Hex
}

/** A ballot whose signature the engine has checked; the core only carries it. */
export type Vote = Ballot & { readonly signature: Hex }

/** A proposal before it is signed; `validRound` is -1 for a new value. */
export type Offer = {
  readonly height: number
  readonly round: number
  readonly value: BlockId
  readonly validRound: number
  readonly proposer: Hex
}

/** An offer whose signature the engine has checked. */
export type Proposal = Offer & { readonly signature: Hex }

/**
 * What the engine thinks of a proposed block. `valid` and `invalid` are the paper's `valid(v)` and
 * must be the same on every validator. `untimely` is valid, but too far ahead of this validator's
 * own clock, and so counts only where a fresh value gets its first prevote (L22).
 */
export type Validity = 'valid' | 'untimely' | 'invalid'

/** Two votes of one validator for one (height, round, step) that differ in value. */
export type Conflict = { readonly first: Vote; readonly second: Vote }

/** Which of the paper's three timers: each belongs to one height and round. */
export type Timeout = {
  readonly step: 'propose' | VoteStep
  readonly height: number
  readonly round: number
}

/** Everything that can happen to the core. */
export type Input =
  /** Enters a height; the schedule's `current` set decides it. */
  | { readonly type: 'start'; readonly height: number; readonly schedule: ValidatorSchedule }
  /** A proposal with a good signature, own ones included. */
  | { readonly type: 'proposal'; readonly proposal: Proposal }
  /** The answer to `checkValue`. */
  | {
      readonly type: 'validity'
      readonly height: number
      readonly round: number
      readonly value: BlockId
      readonly validity: Validity
    }
  /** The answer to `getValue`. */
  | {
      readonly type: 'value'
      readonly height: number
      readonly round: number
      readonly value: BlockId
    }
  /** A vote with a good signature, own ones included. */
  | { readonly type: 'vote'; readonly vote: Vote }
  | { readonly type: 'timeout'; readonly timeout: Timeout }

/** Everything that the core asks of its engine, in this order. */
export type Output =
  /** Sign it, keep it, send it to all, and give it back as an input. */
  | { readonly type: 'propose'; readonly offer: Offer }
  | { readonly type: 'vote'; readonly ballot: Ballot }
  | { readonly type: 'schedule'; readonly timeout: Timeout }
  /** Make a block; answer with `value`. */
  | { readonly type: 'getValue'; readonly height: number; readonly round: number }
  /** Judge a block; answer with `validity`. */
  | { readonly type: 'checkValue'; readonly proposal: Proposal }
  | {
      readonly type: 'decide'
      readonly height: number
      readonly round: number
      readonly value: BlockId
      /** One precommit per validator, more than 2/3 of the power, in the set's order. */
      readonly precommits: readonly Vote[]
    }
  /** Proof that a validator voted twice; at most one per validator, round and step. */
  | { readonly type: 'evidence'; readonly conflict: Conflict }
