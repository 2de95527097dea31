import {
  bool,
  byteList,
  type Codec,
  fixedHex,
  hash32,
  list,
  oneOf,
  optional,
  record,
  uint32,
  uint64,
  uint256,
} from '#records'
import {
  type Conflict,
  type Member,
  type Proposal,
  restoreValidatorSet,
  type Timeout,
  type ValidatorSchedule,
  type ValidatorSet,
  type Validity,
  type Vote,
} from '../core/index.ts'

/** Most validators of one set. */
export const maxValidators = 512

/** Most bytes of one encoded block: its transactions, commit and misbehaviour. */
export const maxEncodedBlockBytes = 3 * 1024 * 1024

const signature = fixedHex(64)

/** The kinds of vote, in the order of their bytes. */
export const voteStep = oneOf(['prevote', 'precommit'])

/** A round from -1 up, as its successor. */
export const roundOrNone: Codec<number> = {
  ssz: uint32.ssz,
  toSsz: (value: number) => uint32.toSsz(value + 1),
  fromSsz: (value: never) => uint32.fromSsz(value) - 1,
}

export const voteCodec: Codec<Vote> = record({
  step: voteStep,
  height: uint64,
  round: uint32,
  value: optional(hash32),
  validator: hash32,
  signature,
})

export const proposalCodec: Codec<Proposal> = record({
  height: uint64,
  round: uint32,
  value: hash32,
  validRound: roundOrNone,
  proposer: hash32,
  signature,
})

export const conflictCodec: Codec<Conflict> = record({ first: voteCodec, second: voteCodec })

export const timeoutCodec: Codec<Timeout> = record({
  step: oneOf(['propose', 'prevote', 'precommit']),
  height: uint64,
  round: uint32,
})

export const validityCodec: Codec<Validity> = oneOf(['valid', 'untimely', 'invalid'])

/** A block's bytes. */
export const blockBytes = byteList(maxEncodedBlockBytes)

const signed = record<{ isNegative: boolean; magnitude: bigint }>({
  isNegative: bool,
  magnitude: uint256(),
})

/** An integer of either sign. */
const int256: Codec<bigint> = {
  ssz: signed.ssz,
  toSsz: (value: bigint) =>
    signed.toSsz({ isNegative: value < 0n, magnitude: value < 0n ? -value : value }),
  fromSsz: (value: never) => {
    const { isNegative, magnitude } = signed.fromSsz(value)
    return isNegative ? -magnitude : magnitude
  },
}

const memberCodec: Codec<Member> = record({
  consensusKey: hash32,
  power: uint256(),
  priority: int256,
})

type PlainSet = { readonly members: readonly Member[]; readonly proposer: ValidatorSet['proposer'] }

const plainSet: Codec<PlainSet> = record({
  members: list(memberCodec, maxValidators),
  proposer: hash32,
})

/** A set with its rotation. */
export const validatorSetCodec: Codec<ValidatorSet> = {
  ssz: plainSet.ssz,
  toSsz: ({ members, proposer }: ValidatorSet) => plainSet.toSsz({ members, proposer }),
  fromSsz: (value: never) => {
    const { members, proposer } = plainSet.fromSsz(value)
    return restoreValidatorSet(members, proposer)
  },
}

export const scheduleCodec: Codec<ValidatorSchedule> = record({
  current: validatorSetCodec,
  next: validatorSetCodec,
})
