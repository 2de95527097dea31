import { unreachable } from '#primitives'
import { apply, wantsVote } from './driver.ts'
import { type CoreState, waitingFor } from './state.ts'
import type { Input, Output, Vote } from './types.ts'
import type { ValidatorSchedule } from './validators.ts'

/** An input that a write-ahead log holds; `start` and `value` follow from the others. */
export type JournalInput = Exclude<Input, { type: 'start' | 'value' }>

/**
 * What a write-ahead log must hold before the core takes this input: replaying it leads to the same
 * state. A message of another height is logged when its height starts; a value with its proposal; a
 * vote that the core drops not at all, so that nobody fills the log by voting often. An own vote is
 * logged in any case: it shows that its ballot was cast.
 */
export function toJournal(state: CoreState, input: Input): readonly JournalInput[] {
  switch (input.type) {
    case 'start':
      return waitingFor(input.height, state.future)
    case 'proposal':
      return input.proposal.height === state.machine.height ? [input] : []
    case 'vote':
      return isLogged(state, input.vote) ? [input] : []
    case 'validity':
    case 'timeout':
      return [input]
    case 'value':
      return []
    default:
      return unreachable(input)
  }
}

const isLogged = (state: CoreState, vote: Vote): boolean =>
  vote.height === state.machine.height && (vote.validator === state.self || wantsVote(state, vote))

/** Where a replayed log ends, and what the core had asked for that no record shows to be done. */
export type Replayed = { readonly state: CoreState; readonly open: readonly Output[] }

/**
 * Enters the height that was under way and takes in what its log holds. Nothing of it is sent
 * again but what is `open`: ballots that were not signed or not logged before the crash among it.
 */
export function replayJournal(
  before: CoreState,
  schedule: ValidatorSchedule,
  inputs: readonly JournalInput[],
): Replayed {
  const height = before.machine.height + 1
  const begun = apply(before, { type: 'start', height, schedule })
  let { state } = begun
  let open = begun.outputs
  for (const input of inputs) {
    const next = apply(state, input)
    state = next.state
    open = [...open.filter((output) => !isAnswered(output, input)), ...next.outputs]
  }
  const { round } = state.machine
  // Timers of earlier rounds need not run again.
  return {
    state,
    open: open.filter((output) => output.type !== 'schedule' || output.timeout.round === round),
  }
}

function isAnswered(output: Output, input: JournalInput): boolean {
  switch (output.type) {
    case 'vote':
      return input.type === 'vote' && isSameSlot(output.ballot, input.vote)
    case 'propose':
      return input.type === 'proposal' && isSameTurn(output.offer, input.proposal)
    case 'getValue':
      return input.type === 'proposal' && input.proposal.round === output.round
    case 'checkValue':
      return input.type === 'validity' && isSameValue(output.proposal, input)
    case 'schedule':
      return input.type === 'timeout' && isSameSlot(output.timeout, input.timeout)
    default:
      return false
  }
}

type Slot = { readonly round: number; readonly step: string; readonly validator?: string }

const isSameSlot = (a: Slot, b: Slot): boolean =>
  a.round === b.round && a.step === b.step && a.validator === b.validator

type Turn = { readonly round: number; readonly proposer: string }

const isSameTurn = (a: Turn, b: Turn): boolean => a.round === b.round && a.proposer === b.proposer

type Judged = { readonly round: number; readonly value: string }

const isSameValue = (a: Judged, b: Judged): boolean => a.round === b.round && a.value === b.value
