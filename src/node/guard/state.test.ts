import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { decode, encode } from '#records'
import { type GuardRecord, guardRecordCodec } from './records.ts'
import { emptyState, floorOf, keptCalls, keptShares, snapshot, take } from './state.ts'

/** As plain as what a codec gives. */
const record = <T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record(model, { noNullPrototype: true })

const digest = fc.integer({ min: 0, max: 5 }).map((n): Hex => sha256Hex(utf8(`${n}`)))
const position = fc.oneof(fc.nat(20), fc.nat(3 * keptShares))
const slot = record({
  ...{ height: fc.nat(5), round: fc.nat(2) },
  step: fc.constantFrom('proposal', 'prevote', 'precommit'),
})
const signature: Hex = `0x${'5c'.repeat(65)}`
const share: Hex = `0x${'5d'.repeat(32)}`

const records: fc.Arbitrary<GuardRecord> = fc.oneof(
  digest.map((instance) => ({ kind: 'start', instance }) as const),
  record({ kind: fc.constant('vote'), slot, digest }),
  record({
    ...{ kind: fc.constant('report'), sequence: position, digest },
    signature: fc.constant(signature),
  }),
  record({ kind: fc.constant('transaction'), nonce: position, digest }),
  record({ kind: fc.constant('release'), nonce: position }),
  record({ kind: fc.constant('reserve'), upTo: position }),
  record({ kind: fc.constant('share'), index: position, digest, share: fc.constant(share) }),
  record({
    ...{ kind: fc.constant('floor'), vote: fc.option(slot, { nil: undefined }) },
    report: fc.option(position, { nil: undefined }),
    ...{ transaction: position, index: position },
  }),
)

const stateOf = (all: readonly GuardRecord[]) => {
  const state = emptyState()
  for (const one of all) take(state, one)
  return state
}

test('state: its snapshot gives the same state, in few records', () =>
  fc.assert(
    fc.property(fc.array(records, { maxLength: 60 }), (all) => {
      const state = stateOf(all)
      const few = snapshot(state)
      assert.deepEqual(stateOf(few), state)
      assert(few.length <= keptCalls + keptShares + 5)
    }),
  ))

test('state: records read back as they were written', () =>
  fc.assert(
    fc.property(records, (one) =>
      assert.deepEqual(decode(guardRecordCodec, encode(guardRecordCodec, one)), one),
    ),
  ))

test('state: no record lowers what is free, but a start, and that for nonces alone', () =>
  fc.assert(
    fc.property(fc.array(records, { maxLength: 40 }), (all) => {
      const state = emptyState()
      for (const one of all.filter(({ kind }) => !['vote', 'report'].includes(kind))) {
        const before = floorOf(state)
        take(state, one)
        const after = floorOf(state)
        assert(after.transaction >= before.transaction)
        assert(one.kind === 'start' || after.index >= before.index)
      }
    }),
  ))
