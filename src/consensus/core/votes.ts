import { type Hex, isMoreThanOneThird } from '#primitives'
import type { BlockId, Conflict, Vote } from './types.ts'
import type { Member, ValidatorSet } from './validators.ts'

/** The votes of one height, round and step, with the power behind each value. */
export type VoteSet = {
  /** Per position in the validator set: its votes, oldest first; more than one are conflicts. */
  readonly byPosition: readonly (readonly Vote[] | undefined)[]
  readonly tallies: readonly Tally[]
  /** Power of those who voted at all. */
  readonly anyPower: bigint
}

/** Power behind one value; a validator with conflicting votes counts for each of them. */
export type Tally = { readonly value: BlockId | undefined; readonly power: bigint }

/** No votes yet. */
export const noVotes: VoteSet = { byPosition: [], tallies: [], anyPower: 0n }

/**
 * Conflicting votes kept from one validator for the asking. Keeping only the first lets one
 * splitting equivocator stop the network: each honest side holds the vote that the other needs.
 */
export const freeConflicts = 4

/** Most conflicting votes kept from one validator, when others stand behind their values. */
export const mostConflicts = 16

/** The set with one more vote, whether that changed it, and the conflict it proves, once. */
export type VoteAdded = {
  readonly set: VoteSet
  readonly kept: boolean
  readonly conflict: Conflict | undefined
}

/**
 * Counts a vote. The same value twice changes nothing. A conflicting one is kept within
 * `freeConflicts`; beyond, only for a value that more than 1/3 of the power has voted for, so that
 * an equivocator cannot fill its places with values that nobody wants.
 */
export function addVote(set: VoteSet, validators: ValidatorSet, vote: Vote): VoteAdded {
  const position = validators.positions.get(vote.validator)
  if (position === undefined || !mayAdd(set, validators, vote))
    return { set, kept: false, conflict: undefined }
  const held = set.byPosition[position] ?? []
  const byPosition = [...set.byPosition]
  while (byPosition.length < position) byPosition.push(undefined)
  byPosition[position] = [...held, vote]
  const { power } = validators.members[position] as Member
  const [first] = held
  return {
    set: {
      byPosition,
      tallies: withPower(set.tallies, vote.value, power),
      anyPower: first ? set.anyPower : set.anyPower + power,
    },
    kept: true,
    conflict: first && held.length === 1 ? { first, second: vote } : undefined,
  }
}

/** Whether `addVote` would keep this vote. */
export function mayAdd(set: VoteSet, validators: ValidatorSet, vote: Vote): boolean {
  const position = validators.positions.get(vote.validator)
  if (position === undefined) return false
  const held = set.byPosition[position] ?? []
  return (
    !held.some(({ value }) => value === vote.value) && !isFull(set, validators, held, vote.value)
  )
}

/** The set without one validator's votes. */
export function dropVotes(set: VoteSet, validators: ValidatorSet, validator: Hex): VoteSet {
  const position = validators.positions.get(validator)
  const held = position === undefined ? undefined : set.byPosition[position]
  if (position === undefined || !held) return set
  const { power } = validators.members[position] as Member
  return {
    byPosition: set.byPosition.with(position, undefined),
    tallies: held.reduce((all, { value }) => withPower(all, value, -power), set.tallies),
    anyPower: set.anyPower - power,
  }
}

/** Power behind a value; undefined asks for nil. */
export function powerFor(set: VoteSet, value: BlockId | undefined): bigint {
  for (const tally of set.tallies) if (tally.value === value) return tally.power
  return 0n
}

/** Every vote that is held, conflicts included, in the validators' order. */
export const allVotes = (set: VoteSet): readonly Vote[] => set.byPosition.flatMap((v) => v ?? [])

/** One vote per validator for this value. */
export const votesFor = (set: VoteSet, value: BlockId | undefined): readonly Vote[] =>
  allVotes(set).filter((vote) => vote.value === value)

function isFull(
  set: VoteSet,
  validators: ValidatorSet,
  held: readonly Vote[],
  value: BlockId | undefined,
): boolean {
  if (held.length < freeConflicts) return false
  if (held.length >= mostConflicts) return true
  return !isMoreThanOneThird(powerFor(set, value), validators.totalPower)
}

function withPower(
  tallies: readonly Tally[],
  value: BlockId | undefined,
  power: bigint,
): readonly Tally[] {
  if (!tallies.some((tally) => tally.value === value)) return [...tallies, { value, power }]
  return tallies
    .map((tally) => (tally.value === value ? { value, power: tally.power + power } : tally))
    .filter((tally) => tally.power > 0n)
}
