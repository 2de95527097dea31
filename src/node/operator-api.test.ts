import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromTaskRequest } from '#api'
import { type Hex, verifyInclusion } from '#primitives'
import { leafHash, type Verdict } from '#records'
import { committedBlocks } from '../../test/support/committed-blocks.ts'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import {
  certify,
  executed,
  publishNonces,
  recorded,
  runTask,
  slowCuts,
  vouch,
} from '../../test/support/ledger-script.ts'
import { History } from './history.ts'
import { operatorApi } from './operator-api.ts'
import { OutboxIndex } from './outbox-index.ts'
import { createMemoryBesides } from './store/test-support/memory-besides.ts'

const unknown: Hex = `0x${'09'.repeat(32)}`

function setUp() {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  const history = new History()
  const besides = createMemoryBesides()
  const outbox = new OutboxIndex(besides)
  const waiting = new Set<Hex>()
  const gateway: { verdict: Verdict; readonly sent: Uint8Array[] } = {
    verdict: { ok: true },
    sent: [],
  }
  let followed = 0
  const api = operatorApi({
    ledger: () => network.ledger,
    ...{ history, outbox },
    submit: async (bytes) => {
      gateway.sent.push(bytes)
      return gateway.verdict
    },
    isWaiting: (task) => waiting.has(task),
    status: () => Promise.reject(new Error('not asked for here')),
    findTransaction: async () => undefined,
    gatewayOf: (operator) => (operator === 2 ? 'http://127.0.0.1:2' : undefined),
  })
  /** Shows the operator what the network has decided since. */
  const follow = () => {
    for (const committed of committedBlocks(network).slice(followed)) {
      besides.put(outbox.committed(committed))
      history.committed(committed, undefined)
      followed += 1
    }
  }
  return { network, history, waiting, gateway, api, follow }
}

test('operator api: a proof grows with the path of its task, to the execution on L1', async () => {
  const { network, api, follow } = setUp()
  const statusOf = async (task: Hex) => {
    follow()
    return api.nodeop_getProof(task)
  }
  const task = runTask(network, () => 7)
  assert.equal((await statusOf(task)).status, 'confirmed')
  const entry = certify(network)
  const certified = await statusOf(task)
  assert.equal(certified.status, 'certified')
  const leaf = network.ledger.leaves.get('0') ?? assert.fail()
  const { root, size } = entry.checkpoint
  assert(verifyInclusion(root, size, 0, leafHash(leaf), certified.siblings ?? []))
  assert.equal(certified.checkpoint?.signature, entry.signature)
  const landed = recorded(entry)
  vouch(network, [landed])
  const underRoot = await statusOf(task)
  assert.deepEqual([underRoot.status, underRoot.l1?.block], ['certified', landed.block])
  const execution = executed(network, task)
  vouch(network, [execution])
  const { status, l1, task: view } = await statusOf(task)
  assert.equal(status, 'settled')
  assert.deepEqual(l1?.executed, { transaction: execution.transaction, success: true })
  assert.deepEqual([view?.status, view?.fee], ['settled', '1000'], 'the fee that was paid')
})

test('operator api: a task that the ledger has forgotten is still proved by its leaf', async () => {
  const { network, api, follow } = setUp()
  const task = runTask(network, () => 7)
  const entry = certify(network)
  const execution = executed(network, task)
  vouch(network, [recorded(entry), execution])
  const statusOf = () => {
    follow()
    return api.nodeop_getProof(task)
  }
  const { task: view, ...path } = await statusOf()
  assert.equal(view?.status, 'settled')
  for (let epochs = 0; epochs < 3; epochs++) network.block([network.task()], 60_000)
  assert.equal(await api.nodeop_getTask(task), null)
  assert.deepEqual(await statusOf(), path)
  assert.deepEqual(path.l1?.executed, { transaction: execution.transaction, success: true })
})

test('operator api: what waits, was dropped, or is unknown is told apart', async () => {
  const { waiting, history, api } = setUp()
  assert.equal((await api.nodeop_getProof(unknown)).status, 'unknown')
  assert.equal(await api.nodeop_getTask(unknown), null)
  history.dropped(unknown, 'TaskTooLate')
  const dropped = await api.nodeop_getProof(unknown)
  assert.deepEqual([dropped.status, dropped.reason], ['refused', 'TaskTooLate'])
  waiting.add(unknown)
  assert.equal((await api.nodeop_getProof(unknown)).status, 'accepted')
})

test('operator api: an expired task has its reason, and has cost nothing', async () => {
  const { network, api } = setUp()
  const task = network.task()
  network.block([task])
  for (let i = 0; i < 4; i++) network.block([], 4_000)
  const { status, reason, task: view } = await api.nodeop_getProof(network.idOf(task))
  assert.deepEqual([status, reason, view?.fee], ['expired', 'TooFewCommits', '0'])
})

test('operator api: a task that is sent is answered by its id, a refused one by its reason', async () => {
  const { network, gateway, api } = setUp()
  const { request, signature } = network.task()
  const signed = { request: fromTaskRequest(request), signature }
  assert.equal(await api.nodeop_sendTask(signed), network.idOf({ request }))
  assert.equal(gateway.sent.length, 1)
  gateway.verdict = { ok: false, reason: 'FeeTooLow', detail: 'the fee is 7 wei' }
  await assert.rejects(api.nodeop_sendTask(signed), {
    message: /the fee is 7 wei/,
    details: { data: { reason: 'FeeTooLow' } },
  })
})

test('operator api: lists are the newest first, and no longer than asked for', async () => {
  const { network, api, follow } = setUp()
  const older = runTask(network, () => 7)
  const newer = runTask(network, () => 7)
  certify(network)
  follow()
  assert.deepEqual(
    (await api.nodeop_tasks(9)).map(({ id }) => id),
    [newer, older],
  )
  assert.equal((await api.nodeop_tasks(1)).length, 1)
  const [checkpoint] = await api.nodeop_checkpoints(9)
  assert.deepEqual([checkpoint?.index, checkpoint?.status], [1, 'certified'])
  const [newest] = await api.nodeop_blocks(1)
  assert.equal(newest?.height, network.height)
  const operators = await api.nodeop_operators()
  assert.deepEqual(
    operators.map(({ id, gateway }) => [id, gateway]),
    [
      [1, undefined],
      [2, 'http://127.0.0.1:2'],
      [3, undefined],
      [4, undefined],
    ],
  )
})
