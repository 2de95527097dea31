import assert from 'node:assert/strict'
import { test } from 'node:test'
import { taskOf } from '#protocol'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { reasonsOf } from '../../../test/support/ledger-script.ts'
import { jail } from './jailing.ts'
import { hasRoomForTask, maxKnownTasks, maxOpenTasks } from './tasks.ts'

/** A network in which every task expires at once, for want of operators. */
function idle() {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.ledger = [1, 2, 3, 4].reduce(jail, network.ledger)
  return network
}

test('tasks: an ended one is remembered as long as its id could be sent again, then forgotten', () => {
  const network = idle()
  const task = network.task({ validUntilMs: network.timeMs + 30_000 })
  const id = network.idOf(task)
  network.block([task])
  network.block()
  assert.equal(taskOf(network.ledger, id)?.status, 'expired')
  network.block([], 29_600)
  assert.deepEqual(reasonsOf(network.block([task], 0)), ['KnownTask'])
  assert.deepEqual(reasonsOf(network.block([task], 11_000)), ['TaskTooLate'])
  assert.equal(taskOf(network.ledger, id), undefined)
})

test('tasks: one that ends after its last moment is remembered until the epoch is over', () => {
  const network = idle()
  const task = network.task({ validUntilMs: network.timeMs + 200 })
  network.block([task])
  network.block([], 500)
  const id = network.idOf(task)
  assert.equal(taskOf(network.ledger, id)?.status, 'expired')
  network.block([], 10_000)
  assert.equal(taskOf(network.ledger, id), undefined)
})

test('tasks: open and ended ones together are bounded', () => {
  const { ledger } = idle()
  const sized = (open: number, ended: number) =>
    hasRoomForTask({
      ...ledger,
      tasks: { ...ledger.tasks, size: open },
      endedTasks: { ...ledger.endedTasks, size: ended },
    })
  assert.equal(sized(maxOpenTasks - 1, 0), true)
  assert.equal(sized(maxOpenTasks, 0), false)
  assert.equal(sized(5, maxKnownTasks - 6), true)
  assert.equal(sized(5, maxKnownTasks - 5), false)
})
