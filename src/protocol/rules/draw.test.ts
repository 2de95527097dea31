import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextDueMs, taskOf } from '#protocol'
import { encodeTransaction } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { maxDrawsPerBlock } from './draw.ts'
import { jail } from './jailing.ts'

/** The committee that a task gets in a network of seven, some of them jailed. */
function committeeOf(network: LedgerNetwork): readonly number[] {
  const task = network.task()
  network.block([task])
  assert.deepEqual(taskOf(network.ledger, network.idOf(task))?.committee, [])
  network.block()
  const drawn = taskOf(network.ledger, network.idOf(task))
  return drawn?.committee.map(({ operator }) => operator) ?? []
}

test('draw: a committee of distinct operators, the block after the task was accepted', () => {
  const committee = committeeOf(new LedgerNetwork(7, {}, idealCrypto))
  assert.equal(committee.length, 4)
  assert.equal(new Set(committee).size, 4)
})

test('draw: without randomness it waits', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const task = network.task()
  network.block([task])
  network.rawBlock([])
  assert.equal(taskOf(network.ledger, network.idOf(task))?.status, 'accepted')
  network.block()
  assert.equal(taskOf(network.ledger, network.idOf(task))?.status, 'committing')
})

test('draw: a jailed operator is never drawn; fewer than the committee are all drawn', () => {
  const network = new LedgerNetwork(7, {}, idealCrypto)
  network.ledger = [1, 2, 3, 4].reduce(jail, network.ledger)
  for (let i = 0; i < 5; i++) assert.deepEqual(committeeOf(network).toSorted(), [5, 6, 7])
})

test('draw: without anyone to draw, the task ends and its fee goes back', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.ledger = [1, 2, 3, 4].reduce(jail, network.ledger)
  const task = network.task()
  network.block([task])
  network.block()
  const ended = taskOf(network.ledger, network.idOf(task))
  assert.deepEqual([ended?.status, ended?.reason], ['expired', 'NoOperators'])
  assert.equal(network.ledger.accounts.get(network.client.address), 1_000_000n)
})

test('draw: so many in a block, those that have waited longest first', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const crowd = Array.from({ length: maxDrawsPerBlock }, () => network.task())
  const late = network.task()
  const waiting = () =>
    [...network.ledger.tasks.values()].filter(({ status }) => status === 'accepted')
  network.rawBlock(crowd.map(encodeTransaction))
  network.rawBlock([late].map(encodeTransaction))
  network.block()
  assert.deepEqual(
    waiting().map(({ id }) => id),
    [network.idOf(late)],
  )
  assert.equal(nextDueMs(network.ledger), 0, 'the rest is due at once')
  network.block()
  assert.deepEqual(waiting(), [])
})

test('draw: everybody is drawn equally often', () => {
  const network = new LedgerNetwork(7, {}, idealCrypto)
  const tasks = Array.from({ length: 350 }, () => network.task())
  network.block(tasks)
  for (let drawn = 0; drawn < tasks.length; drawn += maxDrawsPerBlock) network.block([], 1)
  const times = new Map<number, number>()
  for (const { committee } of network.ledger.tasks.values())
    for (const { operator } of committee) times.set(operator, (times.get(operator) ?? 0) + 1)
  assert.equal(times.size, 7)
  // 350 draws of 4 in 7: 200 each, standard deviation 9. Seeds are fixed, so it cannot flicker.
  for (const [operator, count] of times)
    assert(Math.abs(count - 200) < 37, `operator ${operator} was drawn ${count} times`)
})
