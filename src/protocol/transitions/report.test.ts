import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appHash, operatorOf } from '#protocol'
import { emptyL1Digest, encodeTransaction, type Statement, type Transaction } from '#records'
import { idealCrypto, realCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { introduce, reasonsOf, testSalt } from '../../../test/support/ledger-script.ts'

const seen: Statement = {
  kind: 'view',
  view: { block: 1, events: 0, digest: emptyL1Digest, fork: false },
}
const strange: Statement = { kind: 'vote', parameter: 'nothing', value: 1n }

function introduced(crypto = idealCrypto) {
  const network = new LedgerNetwork(4, {}, crypto)
  introduce(network)
  const say = (...reports: Transaction[]) => reasonsOf(network.block(reports))
  return { network, say }
}

test('report: what it says is taken, its sequence and instance stand with the operator', () => {
  const { network, say } = introduced()
  const report = network.report(1, [seen], { instance: testSalt })
  assert.deepEqual(say(report), ['ok'])
  const { sequence, instance, view } = network.operator(1) ?? assert.fail()
  assert.deepEqual({ sequence, instance }, { sequence: report.report.sequence, instance: testSalt })
  assert.equal(view.block, 1)
})

test('report: network, speaker, signature, sequence and novelty are checked', () => {
  const { network, say } = introduced()
  const good = network.report(1, [seen])
  const refused: [Transaction, string][] = [
    [{ ...good, signature: network.report(2, []).signature }, 'BadSignature'],
    [{ ...good, report: { ...good.report, statements: [] } }, 'BadSignature'],
    [{ ...good, report: { ...good.report, operator: 5 } }, 'UnknownOperator'],
    [{ ...good, report: { ...good.report, operator: 0 } }, 'UnknownOperator'],
    [network.report(1, [seen], { network: testSalt }), 'WrongNetwork'],
    [network.report(1, [seen], { sequence: 0 }), 'StaleSequence'],
    [network.report(1, []), 'NothingNew'],
    [network.report(1, [strange, strange]), 'UnknownParameter'],
  ]
  for (const [transaction, reason] of refused) {
    const before = network.ledger
    assert.deepEqual(reasonsOf(network.rawBlock([encodeTransaction(transaction)], 1)), [reason])
    assert.equal(network.ledger, before, 'a refused one leaves no trace')
  }
  assert.deepEqual(say(good), ['ok'])
  assert.deepEqual(say(good), ['StaleSequence'])
})

test('report: real signatures tell operators apart', () => {
  const { network, say } = introduced(realCrypto)
  const good = network.report(1, [seen])
  assert.deepEqual(say({ ...good, signature: network.report(2, [seen]).signature }), [
    'BadSignature',
  ])
  assert.deepEqual(say(good), ['ok'])
})

test('report: each statement is taken or left by itself', () => {
  const { network, say } = introduced()
  assert.deepEqual(say(network.report(1, [strange, seen, strange])), ['ok'])
  assert.equal(network.operator(1)?.view.block, 1)
})

test('report: the highest sequence that can be written ends an operator, not a block', () => {
  const { network, say } = introduced()
  const last = { sequence: Number.MAX_SAFE_INTEGER }
  assert.deepEqual(say(network.report(1, [seen], last)), ['ok'])
  assert.deepEqual(say(network.report(1, [strange], last)), ['StaleSequence'])
})

test('report: whatever is said, the same blocks give the same hash and change no ledger before', () => {
  const statement = fc.constantFrom<Statement>(
    seen,
    strange,
    { kind: 'vote', parameter: 'windowS', value: 5n },
    { kind: 'commit', task: testSalt, attempt: 1, digest: testSalt },
    { kind: 'share', checkpoint: 1, attempt: 1, share: testSalt },
    { kind: 'nonces', commitments: [] },
  )
  const report = fc.record({
    id: fc.integer({ min: 1, max: 4 }),
    statements: fc.array(statement, { maxLength: 4 }),
    instance: fc.constantFrom(testSalt, emptyL1Digest),
  })
  fc.assert(
    fc.property(fc.array(report, { maxLength: 12 }), (reports) => {
      const [one, other] = [introduced().network, introduced().network]
      for (const { id, statements, instance } of reports) {
        const before = one.ledger
        const hash = appHash(before)
        for (const network of [one, other])
          network.block([network.report(id, statements, { instance })])
        assert.equal(appHash(before), hash)
      }
      assert.equal(appHash(one.ledger), appHash(other.ledger))
      assert(operatorOf(one.ledger, 1))
    }),
    { numRuns: 20 },
  )
})
