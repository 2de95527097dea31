import { unreachable } from '#primitives'
import type { BlockId, VoteStep } from './types.ts'

/**
 * One validator's part in one height: the variables of arXiv:1807.04938, algorithm 1, lines 2-9.
 * Numbers after `L` in this room are that algorithm's lines.
 */
export type RoundState = {
  readonly height: number
  readonly round: number
  /** `idle`: the height is not entered; `decided`: it is over. */
  readonly step: 'idle' | 'propose' | VoteStep | 'decided'
  readonly lockedValue: BlockId | undefined
  readonly lockedRound: number
  readonly validValue: BlockId | undefined
  readonly validRound: number
}

/** The events of the algorithm, after the driver has counted votes and matched proposals. */
export type RoundInput =
  | { readonly type: 'startRound'; readonly round: number; readonly isProposer: boolean }
  | { readonly type: 'proposeValue'; readonly value: BlockId }
  | { readonly type: 'proposal'; readonly value: BlockId; readonly valid: boolean }
  | {
      readonly type: 'proposalAndPolka'
      readonly value: BlockId
      readonly validRound: number
      readonly valid: boolean
    }
  | { readonly type: 'polkaAny' }
  | { readonly type: 'polkaValue'; readonly value: BlockId }
  | { readonly type: 'polkaNil' }
  | { readonly type: 'precommitAny' }
  | { readonly type: 'precommitValue'; readonly round: number; readonly value: BlockId }
  | { readonly type: 'skipRound'; readonly round: number }
  | { readonly type: 'timeoutPropose'; readonly round: number }
  | { readonly type: 'timeoutPrevote'; readonly round: number }
  | { readonly type: 'timeoutPrecommit'; readonly round: number }

/** What the algorithm does; for the state's own height, and its round unless one is named. */
export type RoundOutput =
  | { readonly type: 'getValue' }
  | { readonly type: 'propose'; readonly value: BlockId; readonly validRound: number }
  | { readonly type: 'vote'; readonly step: VoteStep; readonly value: BlockId | undefined }
  | { readonly type: 'schedule'; readonly step: 'propose' | VoteStep }
  | { readonly type: 'newRound'; readonly round: number }
  | { readonly type: 'decide'; readonly round: number; readonly value: BlockId }

/** At most one output an event; `lines` are the paper's lines that ran. */
export type RoundTransition = {
  readonly state: RoundState
  readonly output: RoundOutput | undefined
  readonly lines: readonly number[]
}

/** Lines 2-9 for a height. */
export const createRound = (height: number): RoundState => ({
  height,
  round: -1,
  step: 'idle',
  lockedValue: undefined,
  lockedRound: -1,
  validValue: undefined,
  validRound: -1,
})

/** Every line that runs, L10 to L67; the simulator reports the ones that none of its seeds did. */
export const paperLines: readonly number[] = Array.from({ length: 58 }, (_, i) => 10 + i)

/** One event of the algorithm. An event that does not fit the step changes nothing. */
export function advanceRound(state: RoundState, input: RoundInput): RoundTransition {
  switch (input.type) {
    case 'startRound':
      return startRound({ ...state, round: input.round, step: 'propose' }, input.isProposer)
    case 'proposeValue': // L18, once the value is there
      if (state.step !== 'propose') return unchanged(state)
      return to(state, { type: 'propose', value: input.value, validRound: -1 }, [19])
    case 'proposal': // L22
      return onProposal(state, input.value, input.valid)
    case 'proposalAndPolka': // L28
      return onProposalAndPolka(state, input.value, input.validRound, input.valid)
    case 'polkaAny': // L34
      if (state.step !== 'prevote') return unchanged(state)
      return to(state, { type: 'schedule', step: 'prevote' }, [34, 35])
    case 'polkaValue': // L36
      return onPolkaValue(state, input.value)
    case 'polkaNil': // L44
      if (state.step !== 'prevote') return unchanged(state)
      return vote(state, 'precommit', undefined, [44, 45, 46])
    case 'precommitAny': // L47
      return to(state, { type: 'schedule', step: 'precommit' }, [47, 48])
    case 'precommitValue': // L49
      return onPrecommitValue(state, input.round, input.value)
    case 'skipRound': // L55
      return to(state, { type: 'newRound', round: input.round }, [55, 56])
    case 'timeoutPropose':
    case 'timeoutPrevote':
    case 'timeoutPrecommit':
      return onTimeout(state, input.type, input.round)
    default:
      return unreachable(input)
  }
}

function startRound(state: RoundState, isProposer: boolean): RoundTransition {
  const begun = [...startedBy(state), 11, 12, 13, 14]
  if (!isProposer) return to(state, { type: 'schedule', step: 'propose' }, [...begun, 20, 21])
  const { validValue: value, validRound } = state
  if (value === undefined) return to(state, { type: 'getValue' }, [...begun, 15, 17, 18]) // L18
  return to(state, { type: 'propose', value, validRound }, [...begun, 15, 16, 19]) // L16, L19
}

/** Round 0 begins with the process (L10) or after the decision before (L52-54). */
function startedBy({ height, round }: RoundState): readonly number[] {
  if (round !== 0) return []
  return height === 1 ? [10] : [52, 53, 54]
}

function onProposal(state: RoundState, value: BlockId, valid: boolean): RoundTransition {
  if (state.step !== 'propose') return unchanged(state)
  const free = state.lockedRound === -1 || state.lockedValue === value // L23
  return valid && free
    ? vote(state, 'prevote', value, [22, 23, 24, 27]) // L24
    : vote(state, 'prevote', undefined, [22, 23, 25, 26, 27]) // L26
}

function onProposalAndPolka(
  state: RoundState,
  value: BlockId,
  validRound: number,
  valid: boolean,
): RoundTransition {
  if (state.step !== 'propose' || validRound < 0 || validRound >= state.round)
    return unchanged(state)
  const free = state.lockedRound <= validRound || state.lockedValue === value // L29
  return valid && free
    ? vote(state, 'prevote', value, [28, 29, 30, 33]) // L30
    : vote(state, 'prevote', undefined, [28, 29, 31, 32, 33]) // L32
}

function onPolkaValue(state: RoundState, value: BlockId): RoundTransition {
  if (state.step !== 'prevote' && state.step !== 'precommit') return unchanged(state)
  const known = { ...state, validValue: value, validRound: state.round } // L42, L43
  if (state.step === 'precommit') return to(known, undefined, [36, 37, 42, 43])
  const locked = { ...known, lockedValue: value, lockedRound: state.round } // L38, L39
  return vote(locked, 'precommit', value, [36, 37, 38, 39, 40, 41, 42, 43]) // L40
}

function onPrecommitValue(state: RoundState, round: number, value: BlockId): RoundTransition {
  if (state.step === 'decided') return unchanged(state)
  return to({ ...state, step: 'decided' }, { type: 'decide', round, value }, [49, 50, 51]) // L51
}

function onTimeout(
  state: RoundState,
  type: 'timeoutPropose' | 'timeoutPrevote' | 'timeoutPrecommit',
  round: number,
): RoundTransition {
  if (state.round !== round || state.step === 'decided') return unchanged(state)
  switch (type) {
    case 'timeoutPropose': // L57
      if (state.step !== 'propose') return to(state, undefined, [57, 58])
      return vote(state, 'prevote', undefined, [57, 58, 59, 60]) // L59
    case 'timeoutPrevote': // L61
      if (state.step !== 'prevote') return to(state, undefined, [61, 62])
      return vote(state, 'precommit', undefined, [61, 62, 63, 64]) // L63
    case 'timeoutPrecommit': // L65
      return to(state, { type: 'newRound', round: round + 1 }, [65, 66, 67]) // L67
    default:
      return unreachable(type)
  }
}

/** A vote always ends the step before it: L27, L33, L41, L46, L60, L64. */
const vote = (
  state: RoundState,
  step: VoteStep,
  value: BlockId | undefined,
  lines: readonly number[],
): RoundTransition => to({ ...state, step }, { type: 'vote', step, value }, lines)

const to = (
  state: RoundState,
  output: RoundOutput | undefined,
  lines: readonly number[],
): RoundTransition => ({ state, output, lines })

const unchanged = (state: RoundState): RoundTransition => to(state, undefined, [])
