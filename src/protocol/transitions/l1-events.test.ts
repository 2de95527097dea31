import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { balanceOf, l1EventsToBring } from '#protocol'
import { encodeTransaction, type L1Event, maxUint256 } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork, totalWei } from '../../../test/support/ledger-network.ts'
import { deposited, reasonsOf, viewOf, vouch } from '../../../test/support/ledger-script.ts'

const bring = (events: readonly L1Event[]) => ({ kind: 'l1-events', events }) as const

/** A network, its client's balance, and the events of three deposits. */
function depositing() {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const { address } = network.client
  const events = [5n, 6n, 7n].map((amount) => deposited(address, amount))
  const see = (id: number, seen: readonly L1Event[]) => network.report(id, [viewOf(network, seen)])
  return { network, address, events, see, balance: () => balanceOf(network.ledger, address) }
}

test('l1-events: what more than two thirds of the power have seen is taken, once', () => {
  const { network, events, see, balance } = depositing()
  network.block([see(1, events), see(2, events)])
  assert.deepEqual(reasonsOf(network.block([bring(events)])), ['NotVouched'])
  network.block([see(3, events)])
  assert.deepEqual(reasonsOf(network.block([bring(events), bring(events)])), ['ok', 'NotVouched'])
  assert.equal(balance(), 1_000_018n)
  assert.equal(network.ledger.chain.l1.events, 3)
})

test('l1-events: operators who have seen different amounts vouch for what they share', () => {
  const { network, events, see, balance } = depositing()
  network.block([see(1, events), see(2, events.slice(0, 2)), see(3, events.slice(0, 1))])
  assert.deepEqual(reasonsOf(network.block([bring(events.slice(0, 1))])), ['NotVouched'])
  assert.deepEqual(l1EventsToBring(network.ledger, events), events)
  assert.deepEqual(reasonsOf(network.block([bring(events)])), ['ok'])
  assert.equal(balance(), 1_000_005n)
  assert.deepEqual(l1EventsToBring(network.ledger, events.slice(1)), [])
})

test('l1-events: none, others than the seen ones, and while L1 is frozen are refused', () => {
  const { network, events, see } = depositing()
  const [first, ...rest] = events
  assert(first)
  network.block([1, 2, 3].map((id) => see(id, events)))
  const { ledger } = network
  const other = { ...first, amountWei: 1_000_000n }
  const lies = [bring([]), bring([other, ...rest]), bring(rest)].map(encodeTransaction)
  assert.deepEqual(reasonsOf(network.rawBlock(lies, 1)), Array(3).fill('NotVouched'))
  assert.equal(network.ledger, ledger)
  const { view } = viewOf(network, [])
  const forked = { kind: 'view', view: { ...view, fork: true } } as const
  network.block([1, 2].map((id) => network.report(id, [forked])))
  assert.deepEqual(reasonsOf(network.block([bring(events)])), ['L1Frozen'])
  assert.deepEqual(l1EventsToBring(network.ledger, events), [])
})

test('l1-events: deposits beyond what a ledger can hold are left out, and nothing wraps', () => {
  const { network, address, balance } = depositing()
  const room = maxUint256 - network.ledger.chain.supply
  vouch(network, [deposited(address, room - 1n), deposited(address, 3n), deposited(address, 1n)])
  assert.equal(balance(), maxUint256)
  assert.equal(network.ledger.chain.supply, maxUint256)
  assert.deepEqual(reasonsOf(network.block([network.task()])), ['ok'])
  assert.equal(totalWei(network.ledger), maxUint256)
})

test('l1-events: whatever is deposited, the supply says what there is', () => {
  const amount = fc.oneof(fc.bigInt(0n, 9n), fc.constant(maxUint256), fc.bigInt(0n, maxUint256))
  fc.assert(
    fc.property(fc.array(fc.array(amount, { minLength: 1, maxLength: 4 })), (batches) => {
      const { network, address } = depositing()
      for (const amounts of batches)
        vouch(
          network,
          amounts.map((wei) => deposited(address, wei)),
        )
      assert.equal(totalWei(network.ledger), network.ledger.chain.supply)
      assert.equal(network.ledger.chain.l1.events, batches.flat().length)
    }),
    { numRuns: 20 },
  )
})

test('l1-events: who vouches for what, in whatever order, decides the same as counting by hand', () => {
  const reach = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 7, maxLength: 7 })
  fc.assert(
    fc.property(reach, (reaches) => {
      const network = new LedgerNetwork(7, {}, idealCrypto)
      const events = [1n, 2n, 3n].map((wei) => deposited(network.client.address, wei))
      const views = reaches.map((count, i) =>
        network.report(i + 1, [viewOf(network, events.slice(0, count))]),
      )
      network.block(views)
      network.block([bring(events)])
      const fifthFarthest = reaches.toSorted((a, b) => b - a)[4]
      assert.equal(network.ledger.chain.l1.events, fifthFarthest)
    }),
    { numRuns: 30 },
  )
})
