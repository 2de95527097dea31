import type { Hex } from '#primitives'
import { createRound, type RoundState } from './round.ts'
import { type Rounds, recordOf } from './rounds.ts'
import type { BlockId, Proposal, Vote } from './types.ts'
import type { ValidatorSchedule } from './validators.ts'

/** All that one validator's consensus knows. A value: `apply` makes the next one. */
export type CoreState = {
  /** Own key; undefined for one who only watches. */
  readonly self: Hex | undefined
  readonly schedule: ValidatorSchedule
  readonly machine: RoundState
  readonly rounds: Rounds
  /** Which of the rules "for the first time" (L34, L36, L47) ran in the current round. */
  readonly fired: Fired
  /** Messages of heights to come, in the order of arrival. */
  readonly future: readonly FutureMessage[]
}

/** The rules that run at most once a round. */
export type Fired = {
  readonly polkaAny: boolean
  readonly polkaValue: boolean
  readonly precommitAny: boolean
}

/** A message that waits for its height. */
export type FutureMessage =
  | { readonly type: 'proposal'; readonly proposal: Proposal }
  | { readonly type: 'vote'; readonly vote: Vote }

/** Height that a message is for. */
export const heightOf = (held: FutureMessage): number =>
  held.type === 'vote' ? held.vote.height : held.proposal.height

/** What waits for this height, in the order in which `start` takes it in. */
export const waitingFor = (
  height: number,
  future: readonly FutureMessage[],
): readonly FutureMessage[] => future.filter((held) => heightOf(held) === height)

/** Nothing fired yet. */
export const nothingFired: Fired = { polkaAny: false, polkaValue: false, precommitAny: false }

/** Heights ahead whose messages are kept; who is further behind fetches decided blocks instead. */
export const futureHeights = 2

/** Most waiting messages of one sender: votes and a proposal for a few rounds of each height. */
export const futureMessagesPerSender = 24

/** Rounds behind the current one whose votes are kept, besides those that locks refer to. */
export const pastRounds = 128

/** Rounds ahead of the current one for which a proposal is kept before votes lead there. */
export const futureProposalRounds = 16

/** The last round of a height: with growing timeouts years away; bounds the proposer rotation. */
export const lastRound = 65_535

/**
 * The state after `height` was decided, waiting for `start` of the next one.
 *
 * @param schedule - the sets of `height + 1` and of the height after it.
 */
export const createCore = (
  self: Hex | undefined,
  height: number,
  schedule: ValidatorSchedule,
): CoreState => ({
  self,
  schedule,
  machine: { ...createRound(height), step: 'decided' },
  rounds: new Map(),
  fired: nothingFired,
  future: [],
})

/** Blocks that the state refers to; the engine may forget all others. */
export function referencedValues(state: CoreState): ReadonlySet<BlockId> {
  const values = new Set<BlockId>()
  for (const record of state.rounds.values())
    for (const { proposal } of record.proposals) values.add(proposal.value)
  for (const held of state.future) if (held.type === 'proposal') values.add(held.proposal.value)
  const { lockedValue, validValue } = state.machine
  if (lockedValue !== undefined) values.add(lockedValue)
  if (validValue !== undefined) values.add(validValue)
  return values
}

/** Whether votes of this round of the current height are kept at all. */
export function keepsRound(state: CoreState, round: number): boolean {
  const { machine, rounds } = state
  if (round > lastRound || round < 0) return false
  if (round >= machine.round - pastRounds) return true
  if (round === machine.lockedRound || round === machine.validRound) return true
  const { proposals } = recordOf(rounds, machine.round)
  return proposals.some(({ proposal }) => proposal.validRound === round)
}
