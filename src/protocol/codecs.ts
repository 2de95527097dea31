import type { Wad, Wei } from '#primitives'
import {
  allocationProgrammeCodec,
  allocationProposalCodec,
  type Codec,
  hash32,
  int32s,
  list,
  maxOperators,
  nonceCommitmentCodec,
  type OperatorId,
  optional,
  record,
  uint16,
  uint64,
  uint256,
} from '#records'
import type {
  Competition,
  Contribution,
  Delivery,
  NoncePool,
  ScheduledChange,
  Score,
  Turns,
} from './ledger.ts'

/** Nonce commitments that one operator may have published. */
export const maxNonces = 128

export const noncePoolCodec: Codec<NoncePool> = record({
  next: uint64,
  unused: list(nonceCommitmentCodec, maxNonces),
})

export const scoreCodec: Codec<Score> = record({
  timeliness: uint256<Wad>(),
  agreement: uint256<Wad>(),
  latency: uint256<Wad>(),
  kept: uint256<Wad>(),
  broken: uint256<Wad>(),
  epoch: uint64,
  drawn: uint64,
  late: uint64,
  missing: uint64,
  outlying: uint64,
  upheld: uint64,
  refuted: uint64,
  earned: uint256<Wei>(),
})

/** A whole number of either sign, written as its distance from the least one. */
const int256: Codec<bigint> = {
  ssz: uint256().ssz,
  toSsz: (value: bigint) => uint256().toSsz(value + 2n ** 255n),
  fromSsz: (value: bigint) => value - 2n ** 255n,
}

const contributionCodec: Codec<Contribution> = record({
  operator: uint16,
  proposal: allocationProposalCodec,
  objective: int256,
  bound: int256,
})

export const competitionCodec: Codec<Competition> = record({
  epoch: uint64,
  frozenMs: uint64,
  programme: allocationProgrammeCodec,
  best: optional(contributionCodec),
})

type FlatTurns = {
  readonly drawn: number
  readonly operators: readonly OperatorId[]
  readonly owed: Int32Array
}

const flatTurnsCodec: Codec<FlatTurns> = record({
  drawn: uint64,
  operators: list(uint16, maxOperators),
  owed: int32s(maxOperators),
})

/** In ascending order of operators, whatever the order in which they came. */
export const turnsCodec: Codec<Turns> = {
  ssz: flatTurnsCodec.ssz,
  toSsz: ({ drawn, owed }: Turns) => {
    const ordered = [...owed].sort(([a], [b]) => a - b)
    return flatTurnsCodec.toSsz({
      drawn,
      operators: ordered.map(([id]) => id),
      owed: Int32Array.from(ordered, ([, amount]) => amount),
    })
  },
  fromSsz: (value: never) => {
    const { drawn, operators, owed } = flatTurnsCodec.fromSsz(value)
    if (owed.length !== operators.length) throw new Error('one amount an operator')
    return { drawn, owed: new Map(operators.map((id, place) => [id, owed[place] as number])) }
  },
}

export const deliveryCodec: Codec<Delivery> = record({
  leafIndex: uint64,
  task: hash32,
  assignee: uint16,
  landedMs: uint64,
})

export const scheduledCodec: Codec<ScheduledChange> = record({ value: uint256(), atMs: uint64 })
