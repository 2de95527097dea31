import assert from 'node:assert/strict'
import { test } from 'node:test'
import { verifyInclusion } from '#primitives'
import { emptyTables } from '#protocol'
import { type L1Event, leafHash } from '#records'
import { committedBlocks } from '../../test/support/committed-blocks.ts'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  executed,
  publishNonces,
  recorded,
  slowCuts,
  viewOf,
  vouch,
} from '../../test/support/ledger-script.ts'
import { checkpointOfLeaf, OutboxIndex } from './outbox-index.ts'
import { createMemoryBesides } from './store/test-support/memory-besides.ts'

function ready() {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  return network
}

/** An index that has followed every block. */
function indexOf(
  network: LedgerNetwork,
  keptLeaves = 100,
  kept = createMemoryBesides(),
): OutboxIndex {
  const index = new OutboxIndex(kept, { keptLeaves })
  for (const committed of committedBlocks(network)) kept.put(index.committed(committed))
  return index
}

test('outbox index: proves every leaf under the checkpoint that holds it', () => {
  const network = ready()
  const tasks = [agreeOnTask(network), agreeOnTask(network)]
  const { checkpoint } = certify(network)
  const index = indexOf(network)
  for (const task of tasks) {
    const leaf = index.leafOf(task) ?? assert.fail()
    const siblings = index.prove(leaf.index, checkpoint.size)
    const { root, size } = checkpoint
    assert(verifyInclusion(root, size, leaf.index, leafHash(leaf), siblings))
  }
  assert.equal(index.leafOf('0x'), undefined)
})

test('outbox index: a recorded checkpoint goes before one that is only certified', () => {
  const network = ready()
  agreeOnTask(network)
  assert.equal(checkpointOfLeaf(network.ledger, 0), undefined)
  certify(network)
  agreeOnTask(network)
  const second = certify(network)
  assert.equal(checkpointOfLeaf(network.ledger, 0)?.checkpoint.index, 1)
  vouch(network, [recorded(second)])
  assert.equal(checkpointOfLeaf(network.ledger, 0)?.checkpoint.index, 2)
  assert.equal(checkpointOfLeaf({ ...network.ledger, ...emptyTables() }, 0), undefined)
})

test('outbox index: learns executions that the network vouches for, and no others', () => {
  const network = ready()
  const task = agreeOnTask(network)
  const landed = recorded(certify(network))
  const execution = executed(network, task)
  network.block([{ kind: 'l1-events', events: [execution] }])
  assert.equal(indexOf(network).executionOf(0), undefined, 'refused')
  const view = viewOf(network, [landed])
  network.block(network.operators.map(({ id }) => network.report(id, [view])))
  network.block([{ kind: 'l1-events', events: [landed, { ...execution, success: false }] }])
  assert.equal(network.ledger.chain.l1.events, 1)
  assert.equal(indexOf(network).executionOf(0), undefined, 'behind what was vouched for')
  vouch(network, [execution])
  assert.deepEqual(indexOf(network).executionOf(0), {
    transaction: execution.transaction,
    success: true,
  })
})

test('outbox index: learns what each of several lists in one block has brought', () => {
  const network = ready()
  const task = agreeOnTask(network)
  const landed = recorded(certify(network))
  const execution = executed(network, task)
  const saying = (events: readonly L1Event[]) => {
    const view = viewOf(network, events)
    return network.operators.map(({ id }) => network.report(id, [view]))
  }
  const results = network.block([
    ...saying([landed]),
    { kind: 'l1-events', events: [landed] },
    ...saying([landed, execution]),
    { kind: 'l1-events', events: [execution] },
  ])
  assert(results.every(({ ok }) => ok))
  const { transaction } = execution
  assert.deepEqual(indexOf(network).executionOf(0), { transaction, success: true })
})

test('outbox index: forgets old leaves that nobody is owed, and proves the others as before', () => {
  const network = ready()
  const tasks = Array.from({ length: 7 }, () => agreeOnTask(network))
  const landed = recorded(certify(network))
  const owed = tasks[3] ?? assert.fail()
  vouch(network, [landed])
  for (const task of tasks) if (task !== owed) vouch(network, [executed(network, task)])
  agreeOnTask(network)
  agreeOnTask(network)
  const kept = createMemoryBesides()
  const all = indexOf(network)
  const index = indexOf(network, 2, kept)
  const again = new OutboxIndex(kept, { size: network.ledger.chain.outboxSize, keptLeaves: 2 })
  for (const one of [index, again]) {
    for (const task of tasks.slice(0, 3)) assert.equal(one.leafOf(task), undefined)
    for (const task of tasks.slice(3)) {
      const leaf = one.leafOf(task) ?? assert.fail()
      assert.deepEqual(leaf, all.leafOf(task))
      for (let size = leaf.index + 1; size <= 9; size++)
        assert.deepEqual(one.prove(leaf.index, size), all.prove(leaf.index, size))
    }
  }
  assert(!kept.names().includes('outbox 0 0') && !kept.names().includes('execution 0'))
})
