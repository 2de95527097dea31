import { type Hex, isMoreThanOneThird, isMoreThanTwoThirds } from '#primitives'
import type { BlockId, Conflict, Proposal, Validity, Vote } from './types.ts'
import type { Member, ValidatorSet } from './validators.ts'
import { addVote, allVotes, dropVotes, mayAdd, noVotes, powerFor, type VoteSet } from './votes.ts'

/** A proposal and what the engine thinks of its block, once it has said so. */
export type HeldProposal = { readonly proposal: Proposal; readonly validity: Validity | 'unknown' }

/** All that is known of one round of the current height. */
export type RoundRecord = {
  readonly prevotes: VoteSet
  readonly precommits: VoteSet
  readonly proposals: readonly HeldProposal[]
}

/** Records by round; only rounds of which something is known. */
export type Rounds = ReadonlyMap<number, RoundRecord>

/** Most proposals kept for one round: an equivocating proposer's, when votes ask for them. */
const mostProposals = 16

/** Rounds ahead of its own in which one validator's votes are kept; its oldest make way. */
export const futureRoundsPerValidator = 4

const emptyRecord: RoundRecord = { prevotes: noVotes, precommits: noVotes, proposals: [] }

/** The record of a round, empty when nothing is known. */
export const recordOf = (rounds: Rounds, round: number): RoundRecord =>
  rounds.get(round) ?? emptyRecord

/** Whether more than 2/3 of the power prevoted this value in this round. */
export const hasPolka = (
  rounds: Rounds,
  validators: ValidatorSet,
  round: number,
  value: BlockId | undefined,
): boolean =>
  isMoreThanTwoThirds(powerFor(recordOf(rounds, round).prevotes, value), validators.totalPower)

/** Power of the validators that cast any vote in a round. */
export function powerIn(record: RoundRecord, validators: ValidatorSet): bigint {
  const { prevotes, precommits } = record
  let power = 0n
  validators.members.forEach((member, position) => {
    if (prevotes.byPosition[position] ?? precommits.byPosition[position]) power += member.power
  })
  return power
}

/** Whether `recordVote` would keep this vote. */
export function mayRecord(
  rounds: Rounds,
  validators: ValidatorSet,
  vote: Vote,
  currentRound: number,
): boolean {
  if (!mayAdd(recordOf(rounds, vote.round)[setOf(vote)], validators, vote)) return false
  if (vote.round <= currentRound) return true
  return makeRoom(rounds, validators, vote, currentRound) !== undefined
}

/** Rounds with a vote added, and a conflict that it proves; the same object when it is not kept. */
export function recordVote(
  rounds: Rounds,
  validators: ValidatorSet,
  vote: Vote,
  currentRound: number,
): { readonly rounds: Rounds; readonly conflict: Conflict | undefined } {
  const record = recordOf(rounds, vote.round)
  const name = setOf(vote)
  const added = addVote(record[name], validators, vote)
  if (!added.kept) return { rounds, conflict: undefined }
  const room = vote.round > currentRound ? makeRoom(rounds, validators, vote, currentRound) : rounds
  if (!room) return { rounds, conflict: undefined }
  const changed = new Map(room).set(vote.round, { ...record, [name]: added.set })
  return { rounds: changed, conflict: added.conflict }
}

const setOf = ({ step }: Vote) => (step === 'prevote' ? 'prevotes' : 'precommits')

/** Whether a proposal may be kept: the first of its round, or one whose value votes ask for. */
export function wantsProposal(record: RoundRecord, validators: ValidatorSet, value: BlockId) {
  const { proposals } = record
  if (proposals.length === 0) return true
  if (proposals.length >= mostProposals) return false
  if (proposals.some(({ proposal }) => proposal.value === value)) return false
  return isBacked(record, validators, value)
}

/** Whether more than 1/3 of the power has voted for this value in a round. */
export const isBacked = (
  { prevotes, precommits }: RoundRecord,
  { totalPower }: ValidatorSet,
  value: BlockId,
): boolean =>
  isMoreThanOneThird(powerFor(prevotes, value), totalPower) ||
  isMoreThanOneThird(powerFor(precommits, value), totalPower)

/** Rounds with a proposal added, not yet judged. */
export function recordProposal(rounds: Rounds, proposal: Proposal): Rounds {
  const record = recordOf(rounds, proposal.round)
  const proposals = [...record.proposals, { proposal, validity: 'unknown' as const }]
  return new Map(rounds).set(proposal.round, { ...record, proposals })
}

/** Rounds with the engine's judgement of a block written to its proposal. */
export function recordValidity(
  rounds: Rounds,
  round: number,
  value: BlockId,
  validity: Validity,
): Rounds {
  const record = recordOf(rounds, round)
  const proposals = record.proposals.map((held) =>
    held.proposal.value === value ? { ...held, validity } : held,
  )
  return new Map(rounds).set(round, { ...record, proposals })
}

/** Only the rounds that `keep` wants; the same object when it wants all. */
export function pruneRounds(rounds: Rounds, keep: (round: number) => boolean): Rounds {
  const gone = [...rounds.keys()].filter((round) => !keep(round))
  if (gone.length === 0) return rounds
  return new Map([...rounds].filter(([round]) => !gone.includes(round)))
}

/** Everything held of a round, as its senders signed it. */
export const messagesOf = (record: RoundRecord) => ({
  proposals: record.proposals.map(({ proposal }) => proposal),
  votes: [...allVotes(record.prevotes), ...allVotes(record.precommits)],
})

/** Room for a vote of a later round: the voter's lowest such round makes way, unless this is it. */
function makeRoom(
  rounds: Rounds,
  validators: ValidatorSet,
  vote: Vote,
  currentRound: number,
): Rounds | undefined {
  const taken: number[] = []
  for (const [round, record] of rounds)
    if (round > currentRound && hasVoted(record, validators, vote.validator)) taken.push(round)
  if (taken.includes(vote.round) || taken.length < futureRoundsPerValidator) return rounds
  const lowest = taken.reduce((a, b) => Math.min(a, b))
  if (lowest > vote.round) return undefined
  const record = recordOf(rounds, lowest)
  const left: RoundRecord = {
    ...record,
    prevotes: dropVotes(record.prevotes, validators, vote.validator),
    precommits: dropVotes(record.precommits, validators, vote.validator),
  }
  const changed = new Map(rounds)
  const isEmpty = left.proposals.length === 0 && powerIn(left, validators) === 0n
  if (isEmpty) changed.delete(lowest)
  else changed.set(lowest, left)
  return changed
}

function hasVoted(record: RoundRecord, validators: ValidatorSet, validator: Hex): boolean {
  const position = validators.positions.get(validator)
  if (position === undefined) return false
  return Boolean(record.prevotes.byPosition[position] ?? record.precommits.byPosition[position])
}

/** The power of a key in a set; 0 for strangers. */
export function powerOf(validators: ValidatorSet, key: Hex): bigint {
  const position = validators.positions.get(key)
  return position === undefined ? 0n : (validators.members[position] as Member).power
}
