import assert from 'node:assert/strict'
import {
  apply,
  type CoreState,
  createCore,
  createSchedule,
  type Input,
  type Output,
  proposerOf,
  type Transition,
  type ValidatorSchedule,
} from '#consensus'
import { fromHex, fromUtf8, type Hex, isMoreThanTwoThirds, toHex, utf8 } from '#primitives'

// The types of docs/spec/consensus.qnt, as traces hold them.
type SpecProposal = { readonly round: number; readonly value: string; readonly validRound: number }
type SpecVote = {
  readonly round: number
  readonly step: 'prevote' | 'precommit'
  readonly value: string
  readonly by: string
}
type Timer = { readonly round: number; readonly step: 'propose' | 'prevote' | 'precommit' }
type Tagged<Tag extends string, Value> = { readonly tag: Tag; readonly value: Value }
type SpecInput =
  | Tagged<'Start', unknown>
  | Tagged<'Offer', SpecProposal>
  | Tagged<'Judgement' | 'Value', { readonly round: number; readonly value: string }>
  | Tagged<'Ballot', SpecVote>
  | Tagged<'Timeout', Timer>
type SpecProcess = {
  readonly step: string
  readonly round: number
  readonly lockedValue: string
  readonly lockedRound: number
  readonly validValue: string
  readonly validRound: number
  readonly proposals: readonly SpecProposal[]
  readonly judged: readonly (readonly [number, string])[]
  readonly votes: readonly SpecVote[]
  readonly fired: readonly string[]
}

/**
 * One step of a trace: whose it was, what came in, what went out, and what everybody then knows.
 */
export type SpecState = {
  readonly who: string
  readonly input: SpecInput
  readonly outputs: readonly unknown[]
  readonly processes: ReadonlyMap<string, SpecProcess>
}

/** The function under test; a control hands in a broken one. */
export type Apply = (state: CoreState, input: Input) => Transition

/** Voting power by validator's name. */
export type Powers = Readonly<Record<string, bigint>>

/**
 * What one step of a replay went through: the paper's lines that ran, and the round they led to.
 */
export type Visit = { readonly lines: readonly number[]; readonly round: number }

/**
 * Gives the core what each process of the trace was given, and asserts after every step that it
 * asks for the same and knows the same.
 *
 * @param powers - those of the specification's network.
 * @param height - of which the specification does not speak: from 2 on L52 begins it, not L10.
 */
export function replay(
  trace: readonly SpecState[],
  powers: Powers,
  height: number,
  step: Apply = apply,
): readonly Visit[] {
  const validators = Object.entries(powers).map(([name, power]) => ({
    consensusKey: keyOf(name),
    power,
  }))
  const schedule = createSchedule(validators)
  const cores = new Map<string, CoreState>()
  const visits: Visit[] = []
  for (const [index, { who, input, outputs, processes }] of trace.entries()) {
    if (who === '') continue
    const core = cores.get(who) ?? createCore(keyOf(who), height - 1, schedule)
    const next = step(core, toInput(input, height, schedule))
    cores.set(who, next.state)
    visits.push({ lines: next.lines, round: next.state.machine.round })
    const at = `step ${index}, ${input.tag} of ${who}`
    assert.deepEqual(
      next.outputs.map((output) => toSpec(output, schedule)),
      outputs,
      `${at}: outputs`,
    )
    assert.deepEqual(knowledgeOf(next.state), ordered(processes.get(who) as SpecProcess), at)
  }
  return visits
}

const keyOf = (name: string): Hex => toHex(utf8(name))
const nameOf = (key: Hex): string => fromUtf8(fromHex(key))
const toValue = (name: string): Hex | undefined => (name === 'nil' ? undefined : keyOf(name))
const fromValue = (value: Hex | undefined): string => (value === undefined ? 'nil' : nameOf(value))

function toInput(input: SpecInput, height: number, schedule: ValidatorSchedule): Input {
  switch (input.tag) {
    case 'Start':
      return { type: 'start', height, schedule }
    case 'Offer': {
      const { round, value, validRound } = input.value
      const proposer = proposerOf(schedule.current, round)
      const offer = { height, round, value: keyOf(value), validRound, proposer }
      return { type: 'proposal', proposal: { ...offer, signature: '0x' } }
    }
    case 'Judgement': {
      const { round, value } = input.value
      const validity = value === 'bad' ? 'invalid' : 'valid'
      return { type: 'validity', height, round, value: keyOf(value), validity }
    }
    case 'Value':
      return { type: 'value', height, round: input.value.round, value: keyOf(input.value.value) }
    case 'Ballot': {
      const { step, round, value, by } = input.value
      const ballot = { step, height, round, value: toValue(value), validator: keyOf(by) }
      return { type: 'vote', vote: { ...ballot, signature: '0x' } }
    }
    case 'Timeout':
      return { type: 'timeout', timeout: { ...input.value, height } }
  }
}

function toSpec(output: Output, { current }: ValidatorSchedule): Tagged<string, unknown> {
  switch (output.type) {
    case 'propose':
      return { tag: 'Propose', value: proposalOf(output.offer) }
    case 'vote':
      return { tag: 'Cast', value: voteOf(output.ballot) }
    case 'schedule':
      return { tag: 'Schedule', value: pick(output.timeout, ['round', 'step']) }
    case 'getValue':
      return { tag: 'GetValue', value: output.round }
    case 'checkValue':
      return { tag: 'CheckValue', value: proposalOf(output.proposal) }
    case 'decide': {
      const { round, value, precommits } = output
      const signers = new Set(precommits.map(({ validator }) => validator))
      const behind = current.members.filter(({ consensusKey }) => signers.has(consensusKey))
      const power = behind.reduce((sum, one) => sum + one.power, 0n)
      assert(isMoreThanTwoThirds(power, current.totalPower), 'a decision shows its precommits')
      for (const one of precommits) assert.deepEqual([one.round, one.value], [round, value])
      return { tag: 'Decide', value: { round, value: nameOf(value) } }
    }
    case 'evidence': {
      const { validator, round, step } = output.conflict.first
      return { tag: 'Evidence', value: { by: nameOf(validator), round, step } }
    }
  }
}

type Voted = Pick<Extract<Output, { type: 'vote' }>['ballot'], 'round' | 'step' | 'value'>
const voteOf = ({ validator, ...vote }: Voted & { readonly validator: Hex }): SpecVote => ({
  ...pick(vote, ['round', 'step']),
  value: fromValue(vote.value),
  by: nameOf(validator),
})

type Proposed = Pick<
  Extract<Output, { type: 'propose' }>['offer'],
  'round' | 'value' | 'validRound'
>
const proposalOf = ({ round, value, validRound }: Proposed): SpecProposal => ({
  round,
  value: nameOf(value),
  validRound,
})

/** All that a core knows of its height, in the specification's words. */
function knowledgeOf({ machine, rounds, fired }: CoreState) {
  const records = [...rounds.values()]
  const held = records.flatMap(({ proposals }) => proposals)
  const isJudged = ({ validity }: (typeof held)[number]) => validity !== 'unknown'
  const votes = records
    .flatMap(({ prevotes, precommits }) => [prevotes, precommits])
    .flatMap(({ byPosition }) => byPosition.flatMap((cast) => cast ?? []))
  return ordered({
    ...pick(machine, ['step', 'round', 'lockedRound', 'validRound']),
    lockedValue: fromValue(machine.lockedValue),
    validValue: fromValue(machine.validValue),
    proposals: held.map(({ proposal }) => proposalOf(proposal)),
    judged: held.filter(isJudged).map(({ proposal }) => [proposal.round, nameOf(proposal.value)]),
    votes: votes.map(voteOf),
    fired: Object.entries(fired).flatMap(([rule, hasFired]) => (hasFired ? [rule] : [])),
  })
}

/** Sets in one order; proposals by round, and within it as they came. */
const ordered = (process: SpecProcess) => ({
  ...process,
  proposals: [...process.proposals].sort((a, b) => a.round - b.round),
  judged: sorted(process.judged),
  votes: sorted(process.votes.map(({ round, step, value, by }) => ({ round, step, value, by }))),
  fired: sorted(process.fired),
})

const sorted = <One>(all: readonly One[]): readonly One[] =>
  [...all].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

function pick<From extends object, Name extends keyof From>(
  from: From,
  names: readonly Name[],
): Pick<From, Name> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<From, Name>
}
