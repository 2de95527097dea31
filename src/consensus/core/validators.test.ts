import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import type { Validator } from '#records'
import {
  advanceSchedule,
  createSchedule,
  proposerOf,
  restoreValidatorSet,
  type ValidatorSchedule,
  ValidatorUpdateError,
} from './validators.ts'

const key = (i: number): Hex => `0x${`${i}`.padStart(2, '0')}`
const withPowers = (...powers: readonly bigint[]): readonly Validator[] =>
  powers.map((power, i) => ({ consensusKey: key(i), power }))

/** Who proposes in round 0 of the next heights. */
function turns(schedule: ValidatorSchedule, heights: number): readonly Hex[] {
  const proposers: Hex[] = []
  let now = schedule
  for (let i = 0; i < heights; i++) {
    proposers.push(now.current.proposer)
    now = advanceSchedule(now, [])
  }
  return proposers
}

test('validators: equal powers take turns in the order of their keys', () => {
  assert.deepEqual(turns(createSchedule(withPowers(1n, 1n, 1n)), 6), [0, 1, 2, 0, 1, 2].map(key))
})

test("validators: the rotation equals CometBFT's for powers 1000, 300, 330", () => {
  // bar and baz of its proposer selection test: foo 1000, bar 300, baz 330.
  const [foo, bar, baz] = [0, 1, 2].map(key)
  const expected = [
    ...[foo, baz, foo, bar, foo, foo, baz, foo, bar, foo],
    ...[foo, baz, foo, foo, bar, foo, baz, foo, foo, bar],
  ]
  assert.deepEqual(turns(createSchedule(withPowers(1000n, 300n, 330n)), 20), expected)
})

test('validators: over one full turn each proposes as often as its power says', () =>
  fc.assert(
    fc.property(fc.array(fc.bigInt(1n, 20n), { minLength: 1, maxLength: 6 }), (powers) => {
      const total = Number(powers.reduce((sum, power) => sum + power, 0n))
      const proposers = turns(createSchedule(withPowers(...powers)), total)
      for (const [i, power] of powers.entries())
        assert.equal(proposers.filter((proposer) => proposer === key(i)).length, Number(power))
    }),
  ))

test('validators: a later round is the turn of a later height', () => {
  const schedule = createSchedule(withPowers(5n, 3n, 2n))
  const byRound = [0, 1, 2, 3, 4, 5].map((round) => proposerOf(schedule.current, round))
  assert.deepEqual(byRound, turns(schedule, 6))
})

test('validators: a change acts two heights later', () => {
  const first = createSchedule(withPowers(1n, 1n))
  const second = advanceSchedule(first, [{ consensusKey: key(2), power: 7n }])
  assert.equal(second.current.totalPower, 2n)
  assert.equal(second.next.totalPower, 9n)
  const third = advanceSchedule(second, [{ consensusKey: key(0), power: 0n }])
  assert.deepEqual(
    third.next.members.map(({ consensusKey }) => consensusKey),
    [key(1), key(2)],
  )
})

/** Priorities after one more step of the rotation. */
const stepped = (priorities: readonly bigint[]): readonly bigint[] => {
  const members = priorities.map((priority, i) => ({ consensusKey: key(i), power: 1n, priority }))
  const set = restoreValidatorSet(members, key(0))
  return prioritiesOf(advanceSchedule({ current: set, next: set }, []))
}
const prioritiesOf = ({ next }: ValidatorSchedule) => next.members.map(({ priority }) => priority)

test("validators: priorities are centred on their average, rounded down as CometBFT's are", () => {
  // Of 2, -2, -1 the average is -1/3, and so -1: centred they are 3, -1, 0; then all gain their
  // power of 1, and the first gives up the total of 3.
  assert.deepEqual(stepped([2n, -2n, -1n]), [1n, 0n, 1n])
})

test('validators: priorities that lie too far apart are scaled to twice the total', () => {
  // Of 20, -20, 0 with a total of 3 the spread is 40, and so all are divided by ⌈40 / 6⌉ = 7.
  assert.deepEqual(stepped([20n, -20n, 0n]), [0n, -1n, 1n])
})

test('validators: a newcomer starts 1.125 times the total below, as with CometBFT', () => {
  const joined = advanceSchedule(createSchedule(withPowers(4n, 4n)), [
    { consensusKey: key(2), power: 8n },
  ])
  // 0, 0 and -18 are centred on -6; then all gain their power, and the first of the highest leads.
  assert.deepEqual(prioritiesOf(joined), [10n - 16n, 10n, -4n])
})

/**
 * Powers of the first set, steps of the rotation from there to the change, the change (power 0
 * leaves), and who proposes then: what CometBFT v0.40.0 gave, addresses in the order of the keys.
 */
const changes: readonly (readonly [bigint[], number, Record<number, bigint>, string])[] = [
  [[210n, 308n, 973n], 1, { 0: 336n, 1: 11n, 3: 545n }, '202232023202323202322302'],
  [[2n, 26n, 2n, 9n], 4, { 1: 23n, 4: 22n }, '310412413414134141143141'],
  [
    [754n, 674n, 546n, 220n],
    1,
    { 0: 0n, 1: 687n, 4: 281n, 5: 963n, 2: 76n },
    '231515315251451535154151',
  ],
  [[3n, 2n, 2n, 2n, 1n], 6, { 0: 0n, 3: 0n, 5: 2n, 6: 3n }, '241261256461256125646125'],
  [[5n, 29n, 29n], 4, { 0: 0n, 1: 0n, 3: 27n }, '223232323232323232323232'],
  [
    [457n, 497n, 987n, 85n, 820n],
    7,
    { 0: 0n, 2: 0n, 3: 355n, 5: 257n },
    '434143145413441543144314',
  ],
]

test('validators: when some come and others leave, turns are those of CometBFT', () => {
  for (const [powers, steps, powerOf, expected] of changes) {
    let schedule = createSchedule(withPowers(...powers))
    for (let step = 1; step < steps; step++) schedule = advanceSchedule(schedule, [])
    const updates = Object.entries(powerOf).map(([i, power]) => ({ consensusKey: key(+i), power }))
    const changed = advanceSchedule(advanceSchedule(schedule, updates), [])
    const names = [...expected].map((name) => key(Number(name)))
    assert.deepEqual(turns(changed, names.length), names)
  }
})

test('validators: a newcomer waits its turn', () => {
  const schedule = advanceSchedule(createSchedule(withPowers(10n, 10n)), [
    { consensusKey: key(2), power: 10n },
  ])
  assert(!turns(schedule, 4).includes(key(2)))
  assert(turns(schedule, 12).includes(key(2)))
})

test('validators: changes that cannot be are refused', () => {
  const schedule = createSchedule(withPowers(1n))
  const bad: readonly (readonly Validator[])[] = [
    [{ consensusKey: key(0), power: 0n }],
    [{ consensusKey: key(1), power: -1n }],
    [...withPowers(1n), ...withPowers(2n)],
  ]
  for (const updates of bad)
    assert.throws(() => advanceSchedule(schedule, updates), ValidatorUpdateError)
  assert.throws(() => createSchedule([]), ValidatorUpdateError)
})
