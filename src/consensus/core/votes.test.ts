import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import type { Vote } from './types.ts'
import { createValidatorSet } from './validators.ts'
import {
  addVote,
  allVotes,
  dropVotes,
  freeConflicts,
  mayAdd,
  mostConflicts,
  noVotes,
  powerFor,
  type VoteSet,
  votesFor,
} from './votes.ts'

const keys: readonly Hex[] = ['0x01', '0x02', '0x03', '0x04']
const validators = createValidatorSet(
  keys.map((consensusKey, i) => ({ consensusKey, power: BigInt(i + 1) })),
)
const a: Hex = '0xaa'
const cast = (voter: number, value: Hex | undefined): Vote => ({
  step: 'prevote',
  height: 1,
  round: 0,
  value,
  validator: keys[voter] ?? '0xff',
  signature: '0x',
})
const count = (votes: readonly Vote[], from: VoteSet = noVotes): VoteSet =>
  votes.reduce((set, vote) => addVote(set, validators, vote).set, from)

test('votes: power adds up by value, nil is a value, and each voter counts once in all', () => {
  const set = count([cast(0, a), cast(3, a), cast(1, undefined), cast(0, a)])
  assert.deepEqual([powerFor(set, a), powerFor(set, undefined), set.anyPower], [5n, 2n, 7n])
})

test('votes: a stranger does not count', () => {
  const added = addVote(noVotes, validators, cast(9, a))
  assert.deepEqual([added.kept, added.set], [false, noVotes])
})

test('votes: a conflicting vote counts for both values and is reported once', () => {
  const once = count([cast(0, a)])
  const twice = addVote(once, validators, cast(0, '0xbb'))
  assert.deepEqual(twice.conflict, { first: cast(0, a), second: cast(0, '0xbb') })
  assert.deepEqual(
    [powerFor(twice.set, a), powerFor(twice.set, '0xbb'), twice.set.anyPower],
    [1n, 1n, 1n],
  )
  assert.equal(addVote(twice.set, validators, cast(0, '0xcc')).conflict, undefined)
})

test('votes: conflicts are bounded, but a value that others want still finds a place', () => {
  const flood = Array.from({ length: 40 }, (_, i): Hex => `0xf${i}`)
  const full = count(flood.map((value) => cast(0, value)))
  assert.equal(allVotes(full).length, freeConflicts)
  const wanted = count([cast(3, a), cast(0, a)], full)
  assert.equal(powerFor(wanted, a), 5n)
  const asked = count([cast(3, a)], full)
  assert.deepEqual(
    [cast(0, a), cast(0, '0xe0'), cast(0, flood[0]), cast(1, a), cast(9, a)].map((vote) =>
      mayAdd(asked, validators, vote),
    ),
    [true, false, false, true, false],
  )
  const popular = flood
    .slice(4)
    .flatMap((value) => [cast(3, value), cast(2, value), cast(0, value)])
  assert(allVotes(count(popular, full)).length <= keys.length * mostConflicts)
})

test('votes: a voter can be taken out again', () => {
  const before = count([cast(1, a), cast(2, '0xbb')])
  const after = dropVotes(count([cast(0, a), cast(0, '0xcc')], before), validators, '0x01')
  assert.deepEqual([...after.tallies], [...before.tallies])
  assert.equal(after.anyPower, before.anyPower)
  assert.deepEqual(votesFor(after, a), [cast(1, a)])
})

test('votes: any order of the same votes gives the same powers', () =>
  fc.assert(
    fc.property(
      fc.shuffledSubarray(
        keys.flatMap((_, i) => [cast(i, a), cast(i, undefined)]),
        { minLength: 8 },
      ),
      (votes) => {
        const set = count(votes)
        assert.deepEqual(
          [powerFor(set, a), powerFor(set, undefined), set.anyPower],
          [10n, 10n, 10n],
        )
      },
    ),
  ))
