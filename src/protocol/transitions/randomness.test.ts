import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '#primitives'
import { encodeTransaction } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork, seededBytes } from '../../../test/support/ledger-network.ts'
import { reasonsOf } from '../../../test/support/ledger-script.ts'

const mixOf = (network: LedgerNetwork) => network.ledger.chain.mix

test('randomness: the proposer of a height has one proof, and it moves the mix', () => {
  const network = new LedgerNetwork(4)
  const other = new LedgerNetwork(4)
  const before = mixOf(network)
  assert.deepEqual(reasonsOf(network.rawBlock([encodeTransaction(network.randomness())])), ['ok'])
  assert.notEqual(mixOf(network), before)
  other.block([])
  assert.equal(mixOf(other), mixOf(network))
})

test('randomness: of another proposer or height, malformed, or not first it is refused', () => {
  const network = new LedgerNetwork(4)
  const before = mixOf(network)
  const old = encodeTransaction(network.randomness())
  const garbage = { kind: 'randomness', proof: toHex(new Uint8Array(80).fill(255)) } as const
  const junk = encodeTransaction(garbage)
  assert.deepEqual(reasonsOf(network.rawBlock([junk])), ['BadRandomness'])
  assert.deepEqual(reasonsOf(network.rawBlock([old])), ['BadRandomness'])
  const late = encodeTransaction(network.randomness())
  assert.deepEqual(reasonsOf(network.rawBlock([junk, late])), ['BadRandomness', 'Misplaced'])
  assert.equal(mixOf(network), before)
})

test('randomness: a proposer whom nobody knows proves nothing', () => {
  const network = new LedgerNetwork(4)
  const before = network.ledger
  const operators = [...before.operators.values()].reduce(
    (table, one) => table.set(String(one.id), { ...one, consensusKey: before.chain.mix }),
    before.operators,
  )
  network.ledger = { ...before, operators }
  const proof = encodeTransaction(network.randomness())
  assert.deepEqual(reasonsOf(network.rawBlock([proof])), ['UnknownOperator'])
})

test('randomness: no eighty bytes but the proof are taken', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const random = seededBytes(3)
  const good = network.randomness()
  const flipped = fc.integer({ min: 0, max: 639 }).map((bit) => {
    const bytes = Buffer.from(good.proof.slice(2), 'hex')
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return toHex(new Uint8Array(bytes))
  })
  const proof = fc.oneof(
    flipped,
    fc.nat().map(() => toHex(random(80))),
  )
  fc.assert(
    fc.property(proof, (bytes) => {
      const { ledger } = network
      network.rawBlock([encodeTransaction({ kind: 'randomness', proof: bytes })], 1)
      assert.equal(network.ledger, ledger)
    }),
    { numRuns: 40 },
  )
})
