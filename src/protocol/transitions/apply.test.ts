import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bytesToBigint } from '#primitives'
import { appHash, serviceState } from '#protocol'
import { encodeTransaction, type Transaction } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { reasonsOf } from '../../../test/support/ledger-script.ts'

const add = (byte: number): Transaction => ({
  kind: 'call',
  service: 'tally',
  payload: new Uint8Array([byte]),
})
const sumOf = (network: LedgerNetwork): bigint =>
  bytesToBigint(serviceState(network.ledger, 'tally').get('sum') ?? new Uint8Array())

test('call: the calls of a block are executed together, each with its own result', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const results = network.block([add(3), network.task(), add(0), add(4)])
  assert.deepEqual(reasonsOf(results), ['ok', 'ok', 'NothingToAdd', 'ok'])
  assert.equal(sumOf(network), 7n)
  assert.equal(network.ledger.chain.outboxSize, 1)
})

test('call: its leaf claims no more than that two thirds of the validators stand behind it', () => {
  const network = new LedgerNetwork(7, {}, idealCrypto)
  network.block([add(3)])
  const leaf = network.ledger.leaves.get('0')
  assert.deepEqual(
    [leaf?.service, leaf?.rule, leaf?.agreeingWeight, leaf?.committeeWeight],
    ['tally', 'replicated', 5, 7],
  )
})

test('call: of no replicated service, or malformed, it is refused and leaves no trace', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { ledger } = network
  const payload = new Uint8Array([1])
  const refused: Transaction[] = [
    { kind: 'call', service: 'nothing', payload },
    { kind: 'call', service: 'byte', payload },
    { kind: 'call', service: '', payload },
    { kind: 'call', service: 'tally', payload: new Uint8Array([1, 2]) },
  ]
  const results = network.rawBlock(refused.map(encodeTransaction))
  assert.deepEqual(reasonsOf(results), [
    'UnknownService',
    'UnknownService',
    'UnknownService',
    'BadPayload',
  ])
  assert.equal(network.ledger, ledger)
})

test('call: a service adds up what it is called with, and touches no other state', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(255)), { maxLength: 5 }), (blocks) => {
      const network = new LedgerNetwork(4, {}, idealCrypto)
      const before = network.ledger
      const hash = appHash(before)
      for (const bytes of blocks) network.block(bytes.map(add))
      const expected = blocks.flat().reduce((sum, byte) => sum + byte, 0)
      assert.equal(sumOf(network), BigInt(expected))
      assert.equal(appHash(before), hash)
      assert.deepEqual([...network.ledger.accounts.values()], [...before.accounts.values()])
    }),
    { numRuns: 20 },
  )
})
