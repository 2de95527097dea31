import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Hex } from '#primitives'
import {
  cannedL1,
  gatewayMethods,
  outbox,
  taskId,
  transactionHash,
  transactionProof,
  word,
} from '../../../test/support/canned-network.ts'
import { type Answer, fault, serveJsonRpc } from '../../../test/support/json-rpc-server.ts'
import { ManualClock, silentLogger } from '../../../test/support/manual-clock.ts'
import { emptyRecords, type Sent } from '../load/records.ts'
import type { RunFacts } from './facts.ts'
import { createObserver } from './observer.ts'

const sent = (id: Hex, changes: Partial<Sent> = {}): Sent => ({
  id,
  requestedMs: 1_000_000,
  status: 'accepted',
  reason: '',
  isUncertain: false,
  ...changes,
})

/** Watches a canned network, on which L1 mines a second after the start, until all is settled. */
async function watch(
  t: TestContext,
  records = emptyRecords(),
  changes: Readonly<Record<string, Answer>> = {},
  executions = 1,
  clock = new ManualClock(),
): Promise<RunFacts> {
  const gateway = await serveJsonRpc(t, { ...gatewayMethods, ...changes })
  const { methods, mine } = cannedL1(executions)
  const l1 = await serveJsonRpc(t, methods)
  const observer = createObserver({
    gateways: [gateway.url],
    l1Url: l1.url,
    outbox,
    records,
    clock,
    logger: silentLogger,
  })
  await observer.start()
  clock.advance(1_000)
  mine()
  let isOver = false
  const finished = observer.finish(30_000).finally(() => {
    isOver = true
  })
  finished.catch(() => {}) // told to who awaits it below
  while (!isOver) {
    clock.advance(50)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return await finished
}

function recordsOf(transactions: readonly Sent[], tasks: readonly Sent[]) {
  const records = emptyRecords()
  for (const one of transactions) records.transactions.set(one.id, one)
  for (const one of tasks) records.tasks.set(one.id, one)
  return records
}

test('observer: follows a transaction and a task to L1, proof by proof', async (t) => {
  const facts = await watch(t, recordsOf([sent(transactionHash)], [sent(taskId)]))
  const [transaction] = facts.transactions
  const [task] = facts.tasks
  assert.equal(transaction?.confirmedMs, 1_000_000)
  assert(transaction.certifiedMs !== undefined && transaction.onL1Ms !== undefined)
  assert(task?.agreedMs !== undefined && task.settledMs !== undefined)
  assert(transaction.onL1Ms >= 1_001_000 && task.onL1Ms === transaction.onL1Ms)
  assert.deepEqual(facts.checkpoints, {
    certified: 0,
    recorded: [{ window: 1, gas: 56_000 }],
    missedWindows: 0,
  })
  assert.deepEqual(facts.repeated, [])
  assert.deepEqual([facts.operators, facts.engine], [4, 'embedded'])
})

test('observer: what is on L1 was certified before, also when nobody looked in time', async (t) => {
  const blind = { nodeop_checkpoints: () => [] }
  const facts = await watch(t, recordsOf([sent(transactionHash)], [sent(taskId)]), blind)
  for (const { certifiedMs, onL1Ms } of [...facts.transactions, ...facts.tasks])
    assert(onL1Ms !== undefined && certifiedMs === onL1Ms)
})

test('observer: where no gateway tells what the network is, nothing is summed up', async (t) => {
  const silent = { nodeop_status: () => fault(-32_001, 'starting') }
  await assert.rejects(watch(t, emptyRecords(), silent), { code: 'GatewaysUnreachable' })
})

test('observer: a proof that does not hold puts nothing on L1', async (t) => {
  const forged = { ...transactionProof, siblings: [word(4)] }
  const facts = await watch(t, recordsOf([sent(transactionHash)], []), {
    nodeop_getProof: () => forged,
  })
  assert.equal(facts.transactions[0]?.onL1Ms, undefined)
})

test('observer: a leaf that L1 executed twice is seen twice', async (t) => {
  const facts = await watch(t, recordsOf([], [sent(taskId)]), {}, 2)
  assert.deepEqual(facts.repeated, [1])
})

test('observer: refused is what was refused, lost what was accepted and never seen', async (t) => {
  const records = recordsOf(
    [
      sent(word(1)),
      sent(word(2), { status: 'refused', reason: 'PoolFull' }),
      sent(word(3), { status: 'unanswered', reason: 'NoAnswer', isUncertain: true }),
      sent(word(4)),
      sent(transactionHash, { status: 'refused', reason: 'NonceTooLow', isUncertain: true }),
    ],
    [],
  )
  const facts = await watch(t, records, {
    nodeop_getProof: ([subject]) =>
      subject === word(4)
        ? { subject, kind: 'transaction', status: 'refused', reason: 'NonceTooLow' }
        : gatewayMethods.nodeop_getProof?.([subject]),
  })
  assert.deepEqual(
    facts.transactions.map(({ refused }) => refused),
    [undefined, 'PoolFull', 'NoAnswer', 'NonceTooLow', undefined],
  )
  assert.equal(facts.transactions[0]?.confirmedMs, undefined)
})

test('observer: what was on L1 before its block was seen is found there', async (t) => {
  const clock = new ManualClock()
  const seenMs = clock.nowMs() + 3_000
  const newest = () => (clock.nowMs() < seenMs ? '0x4' : '0x5')
  const late: Readonly<Record<string, Answer>> = {
    eth_getBlockByNumber: ([tag]) =>
      gatewayMethods.eth_getBlockByNumber?.([tag === 'latest' ? newest() : tag]),
  }
  const facts = await watch(t, recordsOf([sent(transactionHash)], []), late, 1, clock)
  assert(facts.transactions[0]?.onL1Ms !== undefined)
})

test('observer: as long as something comes, the rest is waited for', async (t) => {
  const clock = new ManualClock()
  const startMs = clock.nowMs()
  const late = [1, 2].map(word)
  const comesAt = (subject: unknown) =>
    startMs + 20_000 * (1 + late.findIndex((one) => one === subject))
  const facts = await watch(
    t,
    recordsOf(
      late.map((id) => sent(id)),
      [],
    ),
    {
      nodeop_getProof: ([subject]) => {
        const status = clock.nowMs() < comesAt(subject) ? 'accepted' : 'refused'
        return { subject, kind: 'transaction', status, reason: 'NonceTooLow' }
      },
    },
    1,
    clock,
  )
  const reasons = facts.transactions.map(({ refused }) => refused)
  assert.deepEqual(reasons, ['NonceTooLow', 'NonceTooLow'])
})

test('observer: without L1 there is no word on what happened', async (t) => {
  const gateway = await serveJsonRpc(t, gatewayMethods)
  const l1 = await serveJsonRpc(t, {})
  const observer = createObserver({
    gateways: [gateway.url],
    l1Url: l1.url,
    outbox,
    records: emptyRecords(),
    clock: new ManualClock(),
    logger: silentLogger,
  })
  await assert.rejects(observer.start(), { code: 'L1Unreadable' })
})

test('observer: once stopped, it asks for nothing more', async (t) => {
  const gateway = await serveJsonRpc(t, gatewayMethods)
  const l1 = await serveJsonRpc(t, cannedL1().methods)
  const clock = new ManualClock()
  const records = emptyRecords()
  const options = { l1Url: l1.url, outbox, records, clock, logger: silentLogger }
  const observer = createObserver({ ...options, gateways: [gateway.url] })
  await observer.start()
  await observer.stop()
  assert.equal(clock.waiting, 0)
})
