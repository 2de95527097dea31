import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { balanceOf, nextDueMs, scoreOf, taskOf } from '#protocol'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork, totalWei } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  commits,
  type ResultOf,
  reveals,
  runTask,
} from '../../../test/support/ledger-script.ts'

const ideal = () => new LedgerNetwork(4, {}, idealCrypto)
const counts = (network: LedgerNetwork, id: number, service = 'byte') => {
  const { drawn, late, missing, outlying } = scoreOf(network.ledger, service, id)
  return { drawn, late, missing, outlying }
}
const clean = { drawn: 1, late: 0, missing: 0, outlying: 0 }

test('phases: a liar earns nothing and cannot move the result out of the honest range', () => {
  const network = ideal()
  const id = agreeOnTask(network, (operator) => (operator === 1 ? 255 : 100 + operator))
  const task = taskOf(network.ledger, id)
  assert.deepEqual(task?.agreeing, [2, 3, 4])
  const [result = 0] = task?.result ?? []
  assert(result >= 102 && result <= 104)
  assert.deepEqual(counts(network, 1), { ...clean, outlying: 1 })
  assert.deepEqual(counts(network, 2), clean)
})

test('phases: the result becomes a leaf that says how much stands behind it', () => {
  const network = ideal()
  const id = agreeOnTask(network, (operator) => (operator === 1 ? 255 : 100))
  const leaf = network.ledger.leaves.get('0')
  assert.deepEqual(
    [leaf?.subject, leaf?.rule, leaf?.agreeingWeight, leaf?.committeeWeight, leaf?.body],
    [id, 'median', 3, 4, new Uint8Array([100])],
  )
  assert.equal(network.ledger.deliveries.get('0')?.task, id)
})

test('phases: without enough commits a task is drawn once more, then refunded', () => {
  const network = ideal()
  const task = network.task()
  const taskNow = () => taskOf(network.ledger, network.idOf(task)) ?? assert.fail()
  network.block([task])
  network.block()
  network.block(commits(network, (id) => (id < 3 ? 1 : undefined)))
  network.block([], 3_000)
  assert.equal(taskNow().status, 'accepted')
  assert.deepEqual([counts(network, 1), counts(network, 4)], [clean, { ...clean, missing: 1 }])
  network.block()
  assert.equal(taskNow().attempt, 2)
  network.block([], 3_000)
  assert.deepEqual([taskNow().status, taskNow().reason], ['expired', 'TooFewCommits'])
  assert.equal(balanceOf(network.ledger, network.client.address), 1_000_000n)
  assert.equal(counts(network, 1).drawn, 2)
})

test('phases: who commits fast and never reveals shuts out a slower one once, not twice', () => {
  const network = ideal()
  const withholding: ResultOf = (id) => (id === 1 ? undefined : 7)
  const task = network.task()
  const taskNow = () => taskOf(network.ledger, network.idOf(task)) ?? assert.fail()
  const commitFrom = (...ids: number[]) =>
    network.block(commits(network, (id) => (ids.includes(id) ? 7 : undefined)))
  network.block([task])
  network.block()
  commitFrom(1, 2, 3)
  network.block(reveals(network, withholding))
  network.block([], 3_000)
  assert.equal(taskNow().status, 'accepted')
  assert.deepEqual(counts(network, 1), { ...clean, missing: 1 })
  assert.deepEqual(counts(network, 4), { ...clean, late: 1 })
  network.block()
  commitFrom(1, 2, 3)
  assert.equal(taskNow().status, 'committing', 'the second draw waits for everyone')
  commitFrom(4)
  assert.equal(taskNow().status, 'revealing')
  network.block(reveals(network, withholding))
  network.block([], 3_000)
  assert.deepEqual([taskNow().status, taskNow().agreeing], ['agreed', [2, 3, 4]])
})

test('phases: in the second draw, two thirds at the deadline are enough', () => {
  const network = ideal()
  const three: ResultOf = (id) => (id === 4 ? undefined : 7)
  const task = network.task()
  network.block([task])
  network.block()
  network.block([], 3_000)
  network.block()
  network.block(commits(network, three))
  network.block([], 3_000)
  network.block(reveals(network, three))
  assert.equal(taskOf(network.ledger, network.idOf(task))?.status, 'agreed')
  assert.deepEqual(counts(network, 4), { ...clean, drawn: 2, missing: 2 })
})

test('phases: results that nobody agrees on end a task of the exact rule', () => {
  const network = ideal()
  const id = runTask(network, (operator) => operator, { service: 'text' })
  network.block()
  network.block(commits(network, (operator) => operator))
  network.block(reveals(network, (operator) => operator))
  const ended = taskOf(network.ledger, id)
  assert.deepEqual([ended?.status, ended?.reason], ['expired', 'NoMajority'])
})

test('phases: a result whose leaf does not fit the outbox costs the fee of nobody', () => {
  const network = ideal()
  const id = runTask(network, () => 255, { service: 'text', payload: new Uint8Array(4096) })
  network.block()
  network.block(commits(network, () => 255))
  network.block(reveals(network, () => 255))
  const ended = taskOf(network.ledger, id)
  assert.deepEqual([ended?.status, ended?.reason], ['expired', 'ResultTooLarge'])
  assert.equal(balanceOf(network.ledger, network.client.address), 1_000_000n)
})

test('phases: whoever is silent when, a task comes to an end and nothing is lost', () => {
  const silences = fc.array(fc.boolean(), { minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(silences, (silent) => {
      const network = ideal()
      const total = totalWei(network.ledger)
      const task = network.task()
      network.block([task])
      for (let step = 0; step < 18; step++) {
        const speaks: ResultOf = (id) => (silent[4 * (step % 4) + id - 1] ? undefined : 7)
        network.block([...commits(network, speaks), ...reveals(network, speaks)], 1_100)
        assert.equal(totalWei(network.ledger), total)
      }
      const status = taskOf(network.ledger, network.idOf(task))?.status ?? 'none'
      assert(['agreed', 'expired'].includes(status), status)
      assert.equal(nextDueMs(network.ledger), undefined)
    }),
    { numRuns: 20 },
  )
})
