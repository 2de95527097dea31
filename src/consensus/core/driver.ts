import { assert, unreachable } from '#primitives'
import { advanceRound, createRound, type RoundInput, type RoundOutput } from './round.ts'
import {
  isBacked,
  mayRecord,
  powerOf,
  pruneRounds,
  recordOf,
  recordProposal,
  recordValidity,
  recordVote,
  wantsProposal,
} from './rounds.ts'
import { nextEvent } from './rules.ts'
import {
  type CoreState,
  type FutureMessage,
  futureHeights,
  futureMessagesPerSender,
  futureProposalRounds,
  heightOf,
  keepsRound,
  lastRound,
  nothingFired,
  waitingFor,
} from './state.ts'
import type { Input, Output, Proposal, Timeout, Vote } from './types.ts'
import { proposerOf, type ValidatorSchedule } from './validators.ts'
import { votesFor } from './votes.ts'

/** The next state, what the engine must do, and the paper's lines that ran, in order. */
export type Transition = {
  readonly state: CoreState
  readonly outputs: readonly Output[]
  readonly lines: readonly number[]
}

/**
 * One event of one validator: counts it, then runs every rule of the algorithm that it makes true.
 * Pure and deterministic. An input that no longer fits, a stranger's vote or a proposal of someone
 * whose turn it is not changes nothing.
 *
 * @see arXiv:1807.04938, algorithm 1
 */
export function apply(state: CoreState, input: Input): Transition {
  const run: Run = { state, outputs: [], lines: [] }
  take(run, input)
  settle(run)
  return run
}

/** Whether a proposal would be kept now; the engine then need not check or judge others. */
export function wants(state: CoreState, proposal: Proposal): boolean {
  const { machine, schedule } = state
  if (isFuture(state, proposal)) return hasRoom(state, proposal.proposer)
  if (proposal.height !== machine.height || machine.step === 'decided') return false
  const { round, validRound, value } = proposal
  if (!keepsRound(state, round) || round > machine.round + futureProposalRounds) return false
  if (validRound < -1 || validRound >= round) return false
  if (proposal.proposer !== proposerOf(schedule.current, round)) return false
  return wantsProposal(recordOf(state.rounds, round), schedule.current, value)
}

/**
 * Whether a vote would be kept now; the engine then need not check or log others. Of one
 * validator's conflicting votes only a few are: the first of them proves the fault.
 */
export function wantsVote(state: CoreState, vote: Vote): boolean {
  const { machine, schedule, rounds } = state
  if (isFuture(state, vote)) return hasRoom(state, vote.validator) && !isWaiting(state, vote)
  if (vote.height !== machine.height || !keepsRound(state, vote.round)) return false
  return mayRecord(rounds, schedule.current, vote, machine.round)
}

/** Whether votes of a proposal's round ask for its value: then there must be room for its block. */
export const isAskedFor = (state: CoreState, { height, round, value }: Proposal): boolean =>
  height === state.machine.height &&
  isBacked(recordOf(state.rounds, round), state.schedule.current, value)

/** The transition under way: local to one `apply`. */
type Run = { state: CoreState; outputs: Output[]; lines: number[] }

function take(run: Run, input: Input): void {
  switch (input.type) {
    case 'start':
      start(run, input.height, input.schedule)
      break
    case 'proposal':
      takeProposal(run, input.proposal)
      break
    case 'validity':
      takeValidity(run, input)
      break
    case 'value':
      if (isNow(run.state, input)) step(run, { type: 'proposeValue', value: input.value })
      break
    case 'vote':
      takeVote(run, input.vote)
      break
    case 'timeout':
      takeTimeout(run, input.timeout)
      break
    default:
      unreachable(input)
  }
}

/** L52-54: a new height with empty logs, then what arrived for it early. */
function start(run: Run, height: number, schedule: ValidatorSchedule): void {
  const { future, self, machine } = run.state
  assert(height > machine.height, 'heights only grow')
  run.state = {
    self,
    schedule,
    machine: createRound(height),
    rounds: new Map(),
    fired: nothingFired,
    future: future.filter((held) => heightOf(held) > height),
  }
  enterRound(run, 0)
  for (const held of waitingFor(height, future)) {
    settle(run)
    take(run, held)
  }
}

function takeProposal(run: Run, proposal: Proposal): void {
  if (!wants(run.state, proposal)) return
  if (proposal.height === run.state.machine.height) {
    run.state = { ...run.state, rounds: recordProposal(run.state.rounds, proposal) }
    run.outputs.push({ type: 'checkValue', proposal })
  } else keepForLater(run, { type: 'proposal', proposal })
}

function takeValidity(run: Run, input: Extract<Input, { type: 'validity' }>): void {
  const { state } = run
  if (input.height !== state.machine.height) return
  const { round, value, validity } = input
  run.state = { ...state, rounds: recordValidity(state.rounds, round, value, validity) }
}

/** Votes are counted after the decision too: late ones may prove a double vote. */
function takeVote(run: Run, vote: Vote): void {
  const { state } = run
  if (!wantsVote(state, vote)) return
  if (isFuture(state, vote)) {
    keepForLater(run, { type: 'vote', vote })
    return
  }
  const { rounds, conflict } = recordVote(
    state.rounds,
    state.schedule.current,
    vote,
    state.machine.round,
  )
  run.state = { ...state, rounds }
  if (conflict) run.outputs.push({ type: 'evidence', conflict })
}

function takeTimeout(run: Run, { height, round, step: which }: Timeout): void {
  if (height === run.state.machine.height) step(run, { type: timeoutEvents[which], round })
}

const timeoutEvents = {
  propose: 'timeoutPropose',
  prevote: 'timeoutPrevote',
  precommit: 'timeoutPrecommit',
} as const

/** Runs the rules until none holds. Each takes the machine a step on or fires once a round. */
function settle(run: Run): void {
  for (let event = nextEvent(run.state); event; event = nextEvent(run.state)) step(run, event)
}

function step(run: Run, event: RoundInput): void {
  const { state, output, lines } = advanceRound(run.state.machine, event)
  run.state = { ...run.state, machine: state, fired: firedBy(run.state, event) }
  for (const line of lines) run.lines.push(line)
  if (output?.type === 'newRound') enterRound(run, output.round)
  else if (output) run.outputs.push(...toOutputs(run.state, output))
}

function firedBy(state: CoreState, event: RoundInput) {
  switch (event.type) {
    case 'polkaAny':
    case 'polkaValue':
    case 'precommitAny':
      return { ...state.fired, [event.type]: true }
    default:
      return state.fired
  }
}

/** The algorithm's output with height, round and own key. Who has no power says nothing. */
function toOutputs(
  { self, machine, schedule, rounds }: CoreState,
  output: Exclude<RoundOutput, { type: 'newRound' }>,
): readonly Output[] {
  const { height, round } = machine
  const isValidator = self !== undefined && powerOf(schedule.current, self) > 0n
  switch (output.type) {
    case 'getValue':
      return [{ type: 'getValue', height, round }]
    case 'propose': {
      if (!isValidator) return []
      const { value, validRound } = output
      return [{ type: 'propose', offer: { height, round, value, validRound, proposer: self } }]
    }
    case 'vote': {
      if (!isValidator) return []
      const { step: which, value } = output
      return [{ type: 'vote', ballot: { step: which, height, round, value, validator: self } }]
    }
    case 'schedule':
      return [{ type: 'schedule', timeout: { step: output.step, height, round } }]
    case 'decide': {
      const { value } = output
      const precommits = votesFor(recordOf(rounds, output.round).precommits, value)
      return [{ type: 'decide', height, round: output.round, value, precommits }]
    }
    default:
      return unreachable(output)
  }
}

function enterRound(run: Run, round: number): void {
  if (round > lastRound) return
  const { schedule, self } = run.state
  const isProposer = proposerOf(schedule.current, round) === self
  run.state = { ...run.state, fired: nothingFired }
  step(run, { type: 'startRound', round, isProposer })
  const { state } = run
  run.state = { ...state, rounds: pruneRounds(state.rounds, (r) => keepsRound(state, r)) }
}

const isNow = ({ machine }: CoreState, at: { readonly height: number; readonly round: number }) =>
  at.height === machine.height && at.round === machine.round

const isFuture = ({ machine }: CoreState, { height }: { readonly height: number }): boolean =>
  height > machine.height && height <= machine.height + futureHeights

/** Whether a sender is a validator, now or next, and has room among the waiting messages. */
function hasRoom({ schedule, future }: CoreState, sender: Vote['validator']): boolean {
  if (powerOf(schedule.current, sender) + powerOf(schedule.next, sender) === 0n) return false
  const held = future.filter((message) => senderOf(message) === sender)
  return held.length < futureMessagesPerSender
}

/** Whether this very vote waits for its height already. */
const isWaiting = ({ future }: CoreState, { height, round, step, value, validator }: Vote) =>
  future.some(
    (held) =>
      held.type === 'vote' &&
      held.vote.height === height &&
      held.vote.validator === validator &&
      held.vote.round === round &&
      held.vote.step === step &&
      held.vote.value === value,
  )

const senderOf = (held: FutureMessage) =>
  held.type === 'vote' ? held.vote.validator : held.proposal.proposer

function keepForLater(run: Run, message: FutureMessage): void {
  run.state = { ...run.state, future: [...run.state.future, message] }
}
