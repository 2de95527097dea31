import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '#primitives'
import { noncePoolOf } from '#protocol'
import { maxCommitments, type NonceCommitment } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { nonceOf, reasonsOf, testSalt } from '../../../test/support/ledger-script.ts'
import { maxNonces } from '../codecs.ts'
import { parameterDefinitions } from '../parameters.ts'

/** A network, and what operator 1 publishing nonces of these indices comes to. */
function publisher() {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const point = nonceOf(network, 1, 0)
  const publish = (commitments: readonly NonceCommitment[], instance = testSalt) =>
    reasonsOf(network.block([network.report(1, [{ kind: 'nonces', commitments }], { instance })]))
  network.block([network.report(1, [], { instance: testSalt })])
  return {
    network,
    publish,
    point,
    indices: (...indices: number[]) => publish(indices.map((index) => ({ ...point, index }))),
    pool: () => noncePoolOf(network.ledger, 1),
  }
}

test('nonces: indices go on where the last ones ended; what is known is passed over', () => {
  const { indices, pool } = publisher()
  assert.deepEqual(indices(0, 1, 2), ['ok'])
  assert.deepEqual(indices(1, 2, 3), ['ok'])
  assert.deepEqual(
    pool().unused.map(({ index }) => index),
    [0, 1, 2, 3],
  )
  assert.equal(pool().next, 4)
})

test('nonces: gaps, repetition, nothing new and what is no point are refused', () => {
  const { indices, publish, point } = publisher()
  assert.deepEqual(indices(1), ['NoncesOutOfOrder'])
  assert.deepEqual(indices(0, 0), ['NoncesOutOfOrder'])
  assert.deepEqual(indices(0), ['ok'])
  assert.deepEqual(indices(0), ['AlreadyHeld'])
  assert.deepEqual(indices(), ['AlreadyHeld'])
  const noPoint = { ...point, index: 1, binding: toHex(new Uint8Array(33).fill(2)) }
  assert.deepEqual(publish([{ ...noPoint, binding: `0x05${'11'.repeat(32)}` }]), ['BadNonce'])
})

test('nonces: the largest index that can be written is refused like any other gap', () => {
  const { indices } = publisher()
  assert.deepEqual(indices(Number.MAX_SAFE_INTEGER), ['NoncesOutOfOrder'])
})

test('nonces: an operator has no more of them than the bound says', () => {
  const { indices, pool } = publisher()
  const next = (count: number) =>
    indices(...Array.from({ length: count }, (_, i) => pool().next + i))
  for (let i = 0; i < maxNonces / 64; i++) assert.deepEqual(next(64), ['ok'])
  assert.deepEqual(next(1), ['TooManyNonces'])
  const { noncesPublished } = parameterDefinitions
  assert(noncesPublished.max <= BigInt(maxCommitments), 'one statement holds all')
  assert(noncesPublished.max <= BigInt(maxNonces), 'the pool holds all')
})

test('nonces: a new instance voids the old ones, and no index comes twice', () => {
  const { network, publish, pool, point } = publisher()
  publish([0, 1].map((index) => ({ ...point, index })))
  network.block([network.report(1, [])])
  assert.deepEqual(pool(), { next: 2, unused: [] })
  assert.deepEqual(publish([{ ...point, index: 0 }]), ['ok'], 'the first instance comes back')
  assert.deepEqual(pool(), { next: 2, unused: [] })
})

test('nonces: whatever is published, indices in the pool rise by one and never come again', () => {
  const step = fc.record({
    from: fc.integer({ min: -3, max: 4 }),
    count: fc.integer({ min: 0, max: 5 }),
    instance: fc.constantFrom(testSalt, testSalt, testSalt, toHex(new Uint8Array(32).fill(8))),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const { publish, pool, point } = publisher()
      const seen = new Set<number>()
      for (const { from, count, instance } of steps) {
        const before = pool()
        const first = Math.max(0, before.next + from)
        publish(
          Array.from({ length: count }, (_, i) => ({ ...point, index: first + i })),
          instance,
        )
        const { next, unused } = pool()
        assert(next >= before.next)
        for (const [place, { index }] of unused.entries())
          assert.equal(index, next - unused.length + place)
        for (let index = before.next; index < next; index++) {
          assert(!seen.has(index))
          seen.add(index)
        }
      }
    }),
    { numRuns: 40 },
  )
})
