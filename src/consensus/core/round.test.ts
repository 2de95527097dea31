import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '#primitives'
import {
  advanceRound,
  createRound,
  paperLines,
  type RoundInput,
  type RoundOutput,
  type RoundState,
} from './round.ts'

const a: Hex = '0xaa'
const b: Hex = '0xbb'
const at = (changes: Partial<RoundState>): RoundState => ({
  ...createRound(1),
  round: 1,
  step: 'propose',
  ...changes,
})
const prevote = (value: Hex | undefined): RoundOutput => ({ type: 'vote', step: 'prevote', value })
const precommit = (value: Hex | undefined): RoundOutput => ({
  type: 'vote',
  step: 'precommit',
  value,
})

type Arm = {
  readonly name: string
  readonly state: RoundState
  readonly input: RoundInput
  readonly output: RoundOutput | undefined
  /** What the state must differ in; everything else stays. */
  readonly changes: Partial<RoundState>
  readonly lines: readonly number[]
}

const locked = { lockedValue: a, lockedRound: 0 }
const fresh = { type: 'proposal', value: a, valid: true } as const
const shown = { type: 'proposalAndPolka', value: a, validRound: 0, valid: true } as const

const arms: readonly Arm[] = [
  {
    name: 'L10, L21: round 0 of another proposer starts its timer',
    state: createRound(1),
    input: { type: 'startRound', round: 0, isProposer: false },
    output: { type: 'schedule', step: 'propose' },
    changes: { round: 0, step: 'propose' },
    lines: [10, 11, 12, 13, 14, 20, 21],
  },
  {
    name: 'L52-54: so does the round 0 that follows a decision',
    state: createRound(2),
    input: { type: 'startRound', round: 0, isProposer: false },
    output: { type: 'schedule', step: 'propose' },
    changes: { round: 0, step: 'propose' },
    lines: [52, 53, 54, 11, 12, 13, 14, 20, 21],
  },
  {
    name: 'L18: a proposer without a valid value asks for one',
    state: at({ step: 'precommit' }),
    input: { type: 'startRound', round: 2, isProposer: true },
    output: { type: 'getValue' },
    changes: { round: 2, step: 'propose' },
    lines: [11, 12, 13, 14, 15, 17, 18],
  },
  {
    name: 'L16, L19: a proposer with a valid value proposes it again',
    state: at({ step: 'precommit', validValue: a, validRound: 0 }),
    input: { type: 'startRound', round: 2, isProposer: true },
    output: { type: 'propose', value: a, validRound: 0 },
    changes: { round: 2, step: 'propose' },
    lines: [11, 12, 13, 14, 15, 16, 19],
  },
  {
    name: 'L19: the value that came is proposed as new',
    state: at({}),
    input: { type: 'proposeValue', value: a },
    output: { type: 'propose', value: a, validRound: -1 },
    changes: {},
    lines: [19],
  },
  {
    name: 'L24: a valid new value gets a prevote',
    state: at({}),
    input: fresh,
    output: prevote(a),
    changes: { step: 'prevote' },
    lines: [22, 23, 24, 27],
  },
  {
    name: 'L24: so does the value that is locked',
    state: at(locked),
    input: fresh,
    output: prevote(a),
    changes: { step: 'prevote' },
    lines: [22, 23, 24, 27],
  },
  {
    name: 'L26: a lock on another value gives nil',
    state: at({ ...locked, lockedValue: b }),
    input: fresh,
    output: prevote(undefined),
    changes: { step: 'prevote' },
    lines: [22, 23, 25, 26, 27],
  },
  {
    name: 'L26: an invalid value gives nil',
    state: at({}),
    input: { ...fresh, valid: false },
    output: prevote(undefined),
    changes: { step: 'prevote' },
    lines: [22, 23, 25, 26, 27],
  },
  {
    name: 'L30: a polka as new as the lock frees it',
    state: at({ ...locked, lockedValue: b }),
    input: shown,
    output: prevote(a),
    changes: { step: 'prevote' },
    lines: [28, 29, 30, 33],
  },
  {
    name: 'L32: a polka older than the lock does not',
    state: at({ round: 2, lockedValue: b, lockedRound: 1 }),
    input: shown,
    output: prevote(undefined),
    changes: { step: 'prevote' },
    lines: [28, 29, 31, 32, 33],
  },
  {
    name: 'L34: prevotes of 2/3 start the timer',
    state: at({ step: 'prevote' }),
    input: { type: 'polkaAny' },
    output: { type: 'schedule', step: 'prevote' },
    changes: {},
    lines: [34, 35],
  },
  {
    name: 'L36-43: a polka locks and precommits',
    state: at({ step: 'prevote' }),
    input: { type: 'polkaValue', value: a },
    output: precommit(a),
    changes: {
      step: 'precommit',
      lockedValue: a,
      lockedRound: 1,
      validValue: a,
      validRound: 1,
    },
    lines: [36, 37, 38, 39, 40, 41, 42, 43],
  },
  {
    name: 'L42: a late polka only makes the value valid',
    state: at({ step: 'precommit' }),
    input: { type: 'polkaValue', value: a },
    output: undefined,
    changes: { validValue: a, validRound: 1 },
    lines: [36, 37, 42, 43],
  },
  {
    name: 'L44: a polka for nil precommits nil, and keeps the lock',
    state: at({ step: 'prevote', ...locked }),
    input: { type: 'polkaNil' },
    output: precommit(undefined),
    changes: { step: 'precommit' },
    lines: [44, 45, 46],
  },
  {
    name: 'L47: precommits of 2/3 start the timer, in any step',
    state: at({}),
    input: { type: 'precommitAny' },
    output: { type: 'schedule', step: 'precommit' },
    changes: {},
    lines: [47, 48],
  },
  {
    name: 'L49: precommits of an earlier round decide',
    state: at({ round: 3 }),
    input: { type: 'precommitValue', round: 1, value: a },
    output: { type: 'decide', round: 1, value: a },
    changes: { step: 'decided' },
    lines: [49, 50, 51],
  },
  {
    name: 'L55: others in a later round pull along',
    state: at({}),
    input: { type: 'skipRound', round: 5 },
    output: { type: 'newRound', round: 5 },
    changes: {},
    lines: [55, 56],
  },
  {
    name: 'L57: no proposal in time gives nil',
    state: at({}),
    input: { type: 'timeoutPropose', round: 1 },
    output: prevote(undefined),
    changes: { step: 'prevote' },
    lines: [57, 58, 59, 60],
  },
  {
    name: 'L61: no polka in time gives nil',
    state: at({ step: 'prevote' }),
    input: { type: 'timeoutPrevote', round: 1 },
    output: precommit(undefined),
    changes: { step: 'precommit' },
    lines: [61, 62, 63, 64],
  },
  {
    name: 'L65: no decision in time starts the next round',
    state: at({ step: 'precommit' }),
    input: { type: 'timeoutPrecommit', round: 1 },
    output: { type: 'newRound', round: 2 },
    changes: {},
    lines: [65, 66, 67],
  },
]

for (const { name, state, input, output, changes, lines } of arms)
  test(`round: ${name}`, () => {
    const got = advanceRound(state, input)
    assert.deepEqual(got, { state: { ...state, ...changes }, output, lines })
  })

test('round: every line of the paper has an arm here', () => {
  const visited = new Set(arms.flatMap(({ lines }) => lines))
  assert.deepEqual(
    paperLines.filter((line) => !visited.has(line)),
    [],
  )
})

const late: readonly (readonly [RoundState, RoundInput])[] = [
  [at({ step: 'prevote' }), fresh],
  [at({ step: 'prevote' }), shown],
  [at({}), { ...shown, validRound: 1 }],
  [at({ step: 'prevote' }), { type: 'proposeValue', value: a }],
  [at({ step: 'precommit' }), { type: 'polkaAny' }],
  [at({ step: 'precommit' }), { type: 'polkaNil' }],
  [at({}), { type: 'polkaValue', value: a }],
  [at({ step: 'decided' }), { type: 'precommitValue', round: 1, value: b }],
  [at({ step: 'decided' }), { type: 'timeoutPrecommit', round: 1 }],
  [at({}), { type: 'timeoutPropose', round: 0 }],
  [at({ step: 'prevote' }), { type: 'timeoutPropose', round: 1 }],
  [at({ step: 'precommit' }), { type: 'timeoutPrevote', round: 1 }],
]

for (const [state, input] of late)
  test(`round: ${input.type} in step ${state.step} of round ${state.round} changes nothing`, () => {
    const got = advanceRound(state, input)
    assert.deepEqual([got.state, got.output], [state, undefined])
  })
