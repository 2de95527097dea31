import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex, uint64Bytes } from '#primitives'
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
  vouch,
} from '../../test/support/ledger-script.ts'
import { History } from './history.ts'
import { createMetrics } from './metrics.ts'
import { recordCommit } from './record-metrics.ts'

/** A network in which one task was settled and one expired. */
function lived(): LedgerNetwork {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  const task = agreeOnTask(network)
  const landed = recorded(certify(network))
  vouch(network, [landed])
  vouch(network, [executed(network, task)])
  network.block([network.task()])
  for (let i = 0; i < 4; i++) network.block([], 4_000)
  return network
}

test('history: newest blocks first, with times, rounds and what ended', () => {
  const network = lived()
  const history = new History()
  for (const committed of committedBlocks(network)) {
    history.committed(committed, undefined)
    history.decided(committed.block.height, 2)
  }
  const blocks = history.blocks(3)
  assert.deepEqual(
    blocks.map(({ height, round }) => [height, round]),
    [0, 1, 2].map((back) => [network.height - back, 2]),
  )
  assert.equal(history.timeOf(network.height - 1), network.blocks.at(-2)?.timeMs)
  assert.equal(history.timeOf(network.height + 1), undefined)
  assert.deepEqual(history.ended, { settled: 1, expired: 1 })
})

test('history: reasons are remembered, the oldest forgotten first', () => {
  const history = new History()
  for (let i = 0; i < 65_537; i++) history.dropped(toHex(uint64Bytes(i)), 'TaskTooLate')
  assert.equal(history.reasonOf(toHex(uint64Bytes(0))), undefined)
  assert.equal(history.reasonOf(toHex(uint64Bytes(1))), 'TaskTooLate')
})

test('record metrics: what the blocks did is counted once', async () => {
  const metrics = createMetrics({ version: '1', engine: 'embedded', operator: 'ada' })
  const history = new History()
  for (const committed of committedBlocks(lived())) {
    history.committed(committed, undefined)
    recordCommit(metrics, 1, committed, history)
  }
  const text = await metrics.text()
  const figure = (name: string, ...labels: readonly string[]) => {
    const line = text
      .split('\n')
      .find(
        (one) => one.startsWith(`nodeop_${name}{`) && labels.every((label) => one.includes(label)),
      )
    return Number(line?.split(' ').at(-1))
  }
  assert.equal(figure('task_accepted_total', 'service="byte"'), 2)
  assert.equal(figure('task_completed_total', 'service="byte"'), 1)
  assert.equal(figure('task_failed_total', 'service="byte"', 'reason="TooFewCommits"'), 1)
  assert.equal(figure('task_assigned_total', 'service="byte"'), 3)
  assert.equal(figure('task_duration_seconds_count', 'service="byte"'), 1)
  assert.equal(figure('checkpoints_certified_total'), 1)
  assert.equal(figure('l1_missed_windows_total'), 0)
  assert(figure('consensus_block_interval_seconds_count') > 10)
  assert(figure('block_execution_seconds_sum') > 0)
})
