import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import { balanceOf, duties, nextDueMs, parameterDefinitions, scoreOf, taskOf } from '#protocol'
import type { L1Event } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork, totalWei } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  executed,
  publishNonces,
  recorded,
  slowCuts,
  vouch,
} from '../../../test/support/ledger-script.ts'

/** A network with one agreed task under a certificate. */
function certified(service = 'byte', resultOf = (id: number) => 100 + id) {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network))
  const id = agreeOnTask(network, resultOf, { service })
  return { network, id, entry: certify(network) }
}

const end = ({ ledger }: LedgerNetwork, id: Hex) => {
  const task = taskOf(ledger, id)
  return [task?.status, task?.reason]
}
const owedBy = ({ ledger }: LedgerNetwork, id: number, timeMs: number) =>
  duties(ledger, id, timeMs).some(({ kind }) => kind === 'deliver')

test('delivery: when L1 has executed the leaf, everyone who agreed is paid', () => {
  const { network, id, entry } = certified()
  const total = totalWei(network.ledger)
  vouch(network, [recorded(entry), executed(network, id)])
  assert.deepEqual(end(network, id), ['settled', ''])
  assert.equal(totalWei(network.ledger), total)
  for (const { id: operator, address } of network.operators) {
    assert.equal(balanceOf(network.ledger, address), 250n)
    assert.equal(scoreOf(network.ledger, 'byte', operator).earned, 250n)
  }
  assert.equal(network.ledger.deliveries.size, 0)
})

test('delivery: it is for those who agreed, and the pool gains the dust', () => {
  const { network, id, entry } = certified('byte', (one) => (one === 1 ? 255 : 100))
  vouch(network, [recorded(entry), executed(network, id)])
  assert.deepEqual(
    network.operators.map(({ address }) => balanceOf(network.ledger, address)),
    [0n, 333n, 333n, 333n],
  )
  assert.equal(network.ledger.chain.pool, 1n)
})

test('delivery: a consumer that reverts has had its result; an execution counts once', () => {
  const { network, id, entry } = certified()
  const event = executed(network, id, { success: false })
  vouch(network, [recorded(entry), event, event])
  assert.deepEqual(end(network, id), ['settled', 'ConsumerReverted'])
  vouch(network, [event])
  assert.equal(network.ledger.chain.pool, 0n)
  assert.equal(totalWei(network.ledger), network.ledger.chain.supply)
})

test('delivery: L1 may execute a leaf before the ledger sees its checkpoint land', () => {
  const { network, id, entry } = certified()
  vouch(network, [executed(network, id)])
  assert.deepEqual(end(network, id), ['settled', ''])
  vouch(network, [recorded(entry)])
  assert.equal(network.ledger.deliveries.size, 0)
  assert.deepEqual(end(network, id), ['settled', ''])
})

test('delivery: leaves that nobody waits for are no news', () => {
  const { network, id } = certified()
  const strange = [7, Number.MAX_SAFE_INTEGER].map((leafIndex) =>
    executed(network, id, { leafIndex }),
  )
  vouch(network, strange)
  assert.deepEqual(end(network, id), ['agreed', ''])
})

test('delivery: it falls to who landed the checkpoint, and after a while to anyone', () => {
  const { network, entry } = certified()
  const [, submitter = 0] = entry.checkpoint.submitters
  const other = submitter === 1 ? 2 : 1
  assert(!owedBy(network, submitter, network.timeMs))
  vouch(network, [recorded(entry, { operator: submitter })])
  assert(owedBy(network, submitter, network.timeMs))
  assert(!owedBy(network, other, network.timeMs))
  assert(owedBy(network, other, network.timeMs + 8_000))
})

test('delivery: a service without a consumer is settled when its leaf has landed', () => {
  const { network, id, entry } = certified('text', () => 1)
  vouch(network, [recorded(entry)])
  assert.deepEqual(end(network, id), ['settled', ''])
  assert.deepEqual(
    network.operators.map(({ address }) => balanceOf(network.ledger, address)),
    [250n, 250n, 250n, 250n],
  )
  assert.equal(network.ledger.chain.pool, 1n)
})

test('delivery: what nobody could deliver for long ends all the same, and is paid', () => {
  const { network, id, entry } = certified()
  vouch(network, [recorded(entry)])
  const dueMs = network.timeMs + Number(parameterDefinitions.deliveryLimitMs.initial)
  assert.equal(nextDueMs(network.ledger), dueMs)
  const { ledger } = network
  network.rawBlock([], dueMs - network.timeMs - 1)
  assert.equal(network.ledger, ledger)
  network.rawBlock([], 1)
  assert.deepEqual(end(network, id), ['settled', 'NotDelivered'])
  assert.equal(balanceOf(network.ledger, network.operators[0]?.address ?? '0x'), 250n)
  vouch(network, [executed(network, id)])
  assert.deepEqual(end(network, id), ['settled', 'NotDelivered'])
})

test('settlement: whoever agrees and whatever L1 says how often, all the wei are somewhere', () => {
  const happening = fc.constantFrom('recorded', 'executed', 'reverted', 'wait')
  const plan = fc.tuple(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), fc.array(happening))
  fc.assert(
    fc.property(plan, ([values, happenings]) => {
      const { network, id, entry } = certified('byte', (one) => values[one - 1] ?? 0)
      const events: Record<string, L1Event> = {
        recorded: recorded(entry),
        executed: executed(network, id),
        reverted: executed(network, id, { success: false }),
      }
      for (const name of happenings) {
        const event = events[name]
        if (event) vouch(network, [event])
        else network.block([], 900_000)
        assert.equal(totalWei(network.ledger), network.ledger.chain.supply)
      }
    }),
    { numRuns: 8 },
  )
})
