import { isMoreThanOneThird } from '#primitives'
import { messagesOf, recordOf } from './rounds.ts'
import type { CoreState } from './state.ts'
import type { Proposal, Vote } from './types.ts'

/** Rounds behind the current one that are always relayed. */
const relayedRounds = 2

/** Signed messages, whoever signed them. */
export type Relay = { readonly proposals: readonly Proposal[]; readonly votes: readonly Vote[] }

/**
 * What a peer that lags at this height may lack: proposals and votes of all validators, conflicting
 * ones included, of the latest rounds, of the rounds that locks refer to, and of any round that may
 * have decided. Without this relay one splitting equivocator of four stops the network.
 */
export function catchUp(state: CoreState): Relay {
  const { rounds } = state
  const parts = [...rounds.keys()]
    .filter((round) => isRelayed(state, round))
    .sort((a, b) => a - b)
    .map((round) => messagesOf(recordOf(rounds, round)))
  return {
    proposals: parts.flatMap(({ proposals }) => proposals),
    votes: parts.flatMap(({ votes }) => votes),
  }
}

function isRelayed({ machine, rounds, schedule }: CoreState, round: number): boolean {
  if (round >= machine.round - relayedRounds) return true
  if (round === machine.lockedRound || round === machine.validRound) return true
  return recordOf(rounds, round).precommits.tallies.some(
    ({ value, power }) =>
      value !== undefined && isMoreThanOneThird(power, schedule.current.totalPower),
  )
}
