import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import {
  advanceSchedule,
  apply,
  type CoreState,
  catchUp,
  createCore,
  createSchedule,
  type Input,
  type JournalInput,
  type Output,
  type Proposal,
  referencedValues,
  replayJournal,
  toJournal,
  type Vote,
  wants,
  wantsVote,
} from './index.ts'
import { futureRoundsPerValidator } from './rounds.ts'
import { futureMessagesPerSender } from './state.ts'
import { freeConflicts } from './votes.ts'

const keys: readonly Hex[] = ['0x01', '0x02', '0x03', '0x04']
const schedule = createSchedule(keys.map((consensusKey) => ({ consensusKey, power: 1n })))
const self: Hex = '0x04'
const a: Hex = '0xaa'
const b: Hex = '0xbb'

const vote = (voter: number, step: Vote['step'], value: Hex | undefined, round = 0): Vote => ({
  step,
  height: 1,
  round,
  value,
  validator: keys[voter] ?? '0xff',
  signature: '0x',
})
const votes = (step: Vote['step'], value: Hex | undefined, round = 0, voters = [0, 1, 2]) =>
  voters.map((voter): Input => ({ type: 'vote', vote: vote(voter, step, value, round) }))
const offer = (value: Hex, changes: Partial<Proposal> = {}): Input => ({
  type: 'proposal',
  proposal: {
    ...{ height: 1, round: 0, value, validRound: -1, proposer: keys[0] ?? '0xff' },
    ...{ signature: '0x', ...changes },
  },
})
const judged = (value: Hex, validity: 'valid' | 'untimely' | 'invalid', round = 0): Input => ({
  type: 'validity',
  ...{ height: 1, round, value, validity },
})
const begin: Input = { type: 'start', height: 1, schedule }
const ballot = (step: Vote['step'], value: Hex | undefined, round = 0): Output => {
  const { signature: _, ...rest } = vote(3, step, value, round)
  return { type: 'vote', ballot: rest }
}

/** Runs inputs in order from the start of height 1; all outputs, and the last state. */
function run(inputs: readonly Input[], from: CoreState = createCore(self, 0, schedule)) {
  let state = from
  const outputs: Output[] = []
  for (const input of inputs) {
    const next = apply(state, input)
    state = next.state
    outputs.push(...next.outputs)
  }
  return { state, outputs }
}

const has = (outputs: readonly Output[], wanted: Output) =>
  assert.deepEqual(outputs.filter(({ type }) => type === wanted.type).at(-1), wanted)

test('driver: proposal, polka and precommits decide, with the precommits that did', () => {
  const { outputs, state } = run([
    begin,
    offer(a),
    judged(a, 'valid'),
    ...votes('prevote', a),
    ...votes('precommit', a),
  ])
  assert.deepEqual(
    outputs.map(({ type }) => type),
    ['schedule', 'checkValue', 'vote', 'vote', 'decide'],
  )
  has(outputs, {
    type: 'decide',
    height: 1,
    round: 0,
    value: a,
    precommits: [0, 1, 2].map((voter) => vote(voter, 'precommit', a)),
  })
  assert.equal(state.machine.step, 'decided')
})

test('driver: two thirds are not enough', () => {
  const inputs = [begin, offer(a), judged(a, 'valid'), ...votes('prevote', a, 0, [0, 1])]
  assert.deepEqual(
    run(inputs).outputs.filter(({ type }) => type === 'vote'),
    [ballot('prevote', a)],
  )
})

test('driver: an untimely block gets nil, but a polka for it counts', () => {
  const { outputs } = run([begin, offer(a), judged(a, 'untimely'), ...votes('prevote', a)])
  assert.deepEqual(
    outputs.filter(({ type }) => type === 'vote'),
    [ballot('prevote', undefined), ballot('precommit', a)],
  )
})

test('driver: an invalid block is not decided, whoever precommits it', () => {
  const { state } = run([
    begin,
    offer(a),
    judged(a, 'invalid'),
    ...votes('prevote', a),
    ...votes('precommit', a),
  ])
  assert.notEqual(state.machine.step, 'decided')
})

test('driver: precommits that came before the proposal decide once it is there', () => {
  const { outputs } = run([begin, ...votes('precommit', a), offer(a), judged(a, 'valid')])
  assert(outputs.some(({ type }) => type === 'decide'))
})

test('driver: votes of more than a third in a later round pull along, fewer do not', () => {
  const one = run([begin, ...votes('prevote', a, 5, [0])])
  assert.equal(one.state.machine.round, 0)
  const two = run([begin, ...votes('prevote', a, 5, [0]), ...votes('precommit', a, 5, [1])])
  assert.equal(two.state.machine.round, 5)
})

test('driver: one validator cannot fill memory with votes of later rounds', () => {
  const flood = Array.from({ length: 500 }, (_, i) => votes('prevote', a, i + 1, [0])).flat()
  const { state } = run([begin, ...flood])
  assert.equal(state.rounds.size, futureRoundsPerValidator)
  const [second] = votes('prevote', a, 500, [1])
  assert(second)
  assert.equal(apply(state, second).state.machine.round, 500)
})

test('driver: a proposal counts only from the proposer of its round', () => {
  const { state } = run([begin])
  const refused = [
    offer(a, { proposer: '0x02' }),
    offer(a, { round: 1 }),
    offer(a, { validRound: 0 }),
    offer(a, { validRound: -2 }),
    offer(a, { height: 9 }),
    offer(a, { round: 17, proposer: '0x02' }),
  ]
  for (const input of refused)
    assert.deepEqual(apply(state, input), { state, outputs: [], lines: [] })
  assert.equal(apply(state, offer(a, { round: 1, proposer: '0x02' })).outputs.length, 1)
})

test('driver: a second proposal of a round is wanted only once votes ask for it', () => {
  const { state } = run([begin, offer(a), judged(a, 'valid')])
  const second = offer(b)
  assert(second.type === 'proposal')
  assert.equal(wants(state, second.proposal), false)
  const asked = run(votes('prevote', b, 0, [0, 1]), state).state
  assert.equal(wants(asked, second.proposal), true)
  const late = run([second, judged(b, 'valid'), ...votes('prevote', b, 0, [2])], asked)
  has(late.outputs, ballot('precommit', b))
})

test('driver: messages of the next heights wait, within bounds, and count then', () => {
  const next = advanceSchedule(schedule, [])
  const early = [
    ...votes('prevote', a),
    ...Array.from({ length: 100 }, (_, i) => votes('prevote', a, i, [0])).flat(),
  ]
  const idle = createCore(self, 0, schedule)
  const { state, outputs } = run(early, idle)
  assert.deepEqual([outputs.length, state.future.length], [0, futureMessagesPerSender + 2])
  const first = votes('prevote', a)[0]
  assert(first?.type === 'vote' && wantsVote(idle, first.vote) && !wantsVote(state, first.vote))
  const entered = run([begin, offer(a), judged(a, 'valid')], state)
  has(entered.outputs, ballot('precommit', a))
  const skipped = apply(state, { type: 'start', height: 2, schedule: next })
  assert.deepEqual([skipped.state.future.length, skipped.state.rounds.size], [0, 0])
})

test('driver: a stranger is not heard, now or later', () => {
  const { state } = run([begin])
  const [now] = votes('prevote', a, 0, [9])
  assert(now?.type === 'vote')
  const later: Input = { type: 'vote', vote: { ...now.vote, height: 2 } }
  for (const input of [now, later])
    assert.deepEqual(
      apply(state, input).state.rounds.size + apply(state, input).state.future.length,
      0,
    )
})

test('driver: a double vote is reported once, also after the decision', () => {
  const decided = run([
    begin,
    offer(a),
    judged(a, 'valid'),
    ...votes('prevote', a),
    ...votes('precommit', a),
  ]).state
  const { outputs } = run(
    [...votes('precommit', b, 0, [0]), ...votes('precommit', undefined, 0, [0])],
    decided,
  )
  assert.deepEqual(outputs, [
    {
      type: 'evidence',
      conflict: { first: vote(0, 'precommit', a), second: vote(0, 'precommit', b) },
    },
  ])
})

test('driver: who watches, or has no power, follows without a word', () => {
  for (const watcher of [undefined, '0x99'] as const) {
    const { outputs } = run(
      [begin, offer(a), judged(a, 'valid'), ...votes('prevote', a), ...votes('precommit', a)],
      createCore(watcher, 0, schedule),
    )
    assert.deepEqual(
      outputs.map(({ type }) => type),
      ['schedule', 'checkValue', 'decide'],
    )
  }
})

test('driver: a value for a round that has passed is not proposed', () => {
  const core = createCore('0x01', 0, schedule)
  const { state, outputs } = run([begin, ...votes('prevote', a, 3, [1, 2])], core)
  assert(outputs.some(({ type }) => type === 'getValue'))
  assert.deepEqual(apply(state, { type: 'value', height: 1, round: 0, value: a }).outputs, [])
})

test('driver: what a lagging peer needs is all of it, conflicts included', () => {
  const inputs = [
    begin,
    offer(a),
    judged(a, 'valid'),
    ...votes('prevote', a),
    ...votes('prevote', b, 0, [0]),
    ...votes('precommit', undefined, 1, [0, 1]),
  ]
  const { state } = run(inputs)
  const relay = catchUp(state)
  assert.deepEqual([relay.proposals.length, relay.votes.length], [1, 6])
  assert.deepEqual([...referencedValues(state)], [a])
})

const values = [a, b, undefined]
const anyInput: fc.Arbitrary<Input> = fc.oneof(
  fc
    .tuple(
      fc.nat(3),
      fc.constantFrom('prevote' as const, 'precommit' as const),
      fc.constantFrom(...values),
      fc.nat(3),
    )
    .map(([voter, step, value, round]) => ({
      type: 'vote' as const,
      vote: vote(voter, step, value, round),
    })),
  fc
    .tuple(fc.constantFrom(a, b), fc.nat(3), fc.integer({ min: -1, max: 3 }))
    .map(([value, round, validRound]) =>
      offer(value, { round, validRound, proposer: keys[round] ?? '0xff' }),
    ),
  fc
    .tuple(fc.constantFrom(a, b), fc.constantFrom('valid', 'untimely', 'invalid'), fc.nat(3))
    .map(([value, validity, round]) => judged(value, validity as 'valid', round)),
  fc.tuple(fc.constantFrom('propose', 'prevote', 'precommit'), fc.nat(3)).map(([step, round]) => ({
    type: 'timeout' as const,
    timeout: { step: step as 'propose', height: 1, round },
  })),
)

test('driver: a double voter fills neither the journal nor memory', () => {
  let { state } = run([begin])
  let [logged, wanted, accused] = [0, 0, 0]
  for (let i = 0; i < 1000; i++)
    for (const input of votes('prevote', `0xf${i}`, 0, [0])) {
      assert(input.type === 'vote')
      if (wantsVote(state, input.vote)) wanted++
      logged += toJournal(state, input).length
      const next = apply(state, input)
      state = next.state
      accused += next.outputs.filter(({ type }) => type === 'evidence').length
    }
  const kept = catchUp(state).votes.length
  assert.deepEqual(
    [kept, wanted, logged, accused],
    [freeConflicts, freeConflicts, freeConflicts, 1],
  )
})

test('driver: what is not wanted changes nothing, and the journal gives the state back', () =>
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
      let state = run([begin]).state
      const journal: JournalInput[] = []
      for (const input of inputs) {
        journal.push(...toJournal(state, input))
        const next = apply(state, input)
        if (input.type === 'vote')
          assert.equal(wantsVote(state, input.vote), next.state !== state, 'kept when wanted')
        state = next.state
      }
      assert.deepEqual(replayJournal(createCore(self, 0, schedule), schedule, journal).state, state)
    }),
    { numRuns: 300 },
  ))

test('driver: whatever comes, no slot gets two ballots, and no input state changes', () =>
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
      let state = run([begin]).state
      const cast = new Map<string, unknown>()
      for (const input of inputs) {
        const before = structuredClone(state)
        const next = apply(state, input)
        assert.deepEqual(state, before)
        state = next.state
        for (const output of next.outputs) {
          if (output.type !== 'vote') continue
          const slot = `${output.ballot.round} ${output.ballot.step}`
          assert(!cast.has(slot), `two ballots for ${slot}`)
          cast.set(slot, output.ballot.value)
        }
        assert(state.machine.lockedRound <= state.machine.validRound)
      }
    }),
    { numRuns: 300 },
  ))
