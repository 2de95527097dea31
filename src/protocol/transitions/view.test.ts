import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { appHash, isL1Frozen } from '#protocol'
import { emptyL1Digest, type L1View } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { introduce, reasonsOf, testSalt } from '../../../test/support/ledger-script.ts'

const genesisView: L1View = { block: 0, events: 0, digest: emptyL1Digest, fork: false }

test('view: the latest one counts; the same again is no news', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  introduce(network)
  const say = (view: L1View) =>
    reasonsOf(network.block([network.report(1, [{ kind: 'view', view }])]))
  assert.deepEqual(say(genesisView), ['AlreadyHeld'])
  assert.deepEqual(say({ ...genesisView, block: 7, events: 2, digest: testSalt }), ['ok'])
  assert.deepEqual(say({ ...genesisView, block: 7, events: 2, digest: testSalt }), ['AlreadyHeld'])
  assert.deepEqual(say({ ...genesisView, block: 6 }), ['ok'])
  assert.deepEqual(network.operator(1)?.view, { ...genesisView, block: 6 })
})

test('view: L1 is frozen as long as more than a third of the power sees a fork', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const say = (id: number, fork: boolean) =>
    network.block([network.report(id, [{ kind: 'view', view: { ...genesisView, fork } }])])
  say(1, true)
  assert.equal(isL1Frozen(network.ledger), false)
  say(2, true)
  assert.equal(isL1Frozen(network.ledger), true)
  say(1, false)
  assert.equal(isL1Frozen(network.ledger), false)
})

test('view: any numbers that can be written are taken, and change nobody else', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  introduce(network)
  const count = fc.oneof(fc.nat(5), fc.constant(Number.MAX_SAFE_INTEGER))
  const view = fc.record({
    block: count,
    events: count,
    digest: fc.constantFrom(testSalt, emptyL1Digest),
    fork: fc.boolean(),
  })
  fc.assert(
    fc.property(view, (seen) => {
      const before = network.ledger
      const hash = appHash(before)
      network.block([network.report(3, [{ kind: 'view', view: seen }])])
      assert.deepEqual(network.operator(3)?.view, { ...seen })
      assert.deepEqual(network.operator(2), before.operators.get('2'))
      assert.equal(appHash(before), hash)
    }),
    { numRuns: 30 },
  )
})
