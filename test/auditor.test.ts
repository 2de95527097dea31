import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { audit } from './support/auditor.ts'
import { followProof, type Proof } from './support/auditor-proof.ts'
import {
  cannedL1,
  gatewayMethods,
  outbox,
  taskId,
  taskProof,
  transactionHash,
  transactionProof,
  word,
} from './support/canned-network.ts'
import { type Answer, serveJsonRpc } from './support/json-rpc-server.ts'

async function auditCanned(
  t: TestContext,
  changes: Readonly<Record<string, Answer>> = {},
  executions = 1,
) {
  const { methods, mine } = cannedL1(executions)
  mine()
  const gateway = await serveJsonRpc(t, { ...gatewayMethods, ...changes })
  const l1 = await serveJsonRpc(t, methods)
  return audit({
    gatewayUrl: gateway.url,
    l1Url: l1.url,
    outbox,
    transactions: [transactionHash],
    tasks: [taskId],
  })
}

test('auditor: counts a transaction and a task that are on L1', async (t) => {
  assert.deepEqual(await auditCanned(t), {
    transactions: { sent: 1, confirmed: 1, certified: 1, onL1: 1 },
    tasks: { sent: 1, certified: 1, onL1: 1, settled: 1, expired: 0 },
    checkpoints: { onL1: 1, byFallback: 1 },
    twice: [],
    problems: [],
  })
})

test('auditor: what is not listed, not executed or not recorded is not counted', async (t) => {
  const unrecorded = { ...transactionProof.checkpoint, index: 2 }
  const changes: Readonly<Record<string, Answer>> = {
    eth_blockNumber: () => '0x4',
    nodeop_getProof: ([subject]) =>
      subject === taskId ? taskProof : { ...transactionProof, checkpoint: unrecorded },
  }
  const { transactions, tasks } = await auditCanned(t, changes, 0)
  assert.deepEqual(transactions, { sent: 1, confirmed: 0, certified: 1, onL1: 0 })
  assert.deepEqual([tasks.certified, tasks.onL1], [1, 0])
})

test('auditor: a proof that breaks is told, and proves nothing', async (t) => {
  const forged = { ...taskProof, siblings: [word(9)] }
  const report = await auditCanned(t, {
    nodeop_getProof: ([subject]) => (subject === taskId ? forged : transactionProof),
  })
  assert.deepEqual(report.problems, [`${taskId}: the leaf is not under the root`])
  assert.deepEqual([report.tasks.certified, report.tasks.onL1], [0, 0])
})

test('auditor: a leaf that was executed twice is named', async (t) => {
  assert.deepEqual((await auditCanned(t, {}, 2)).twice, ['leaf 1', taskId])
})

test('auditor: a transaction that two blocks list is named', async (t) => {
  const listed = (tag: unknown) => ({
    number: tag,
    hash: word(Number(tag)),
    transactions: tag === '0x2' || tag === '0x4' ? [transactionHash] : [],
  })
  const { twice } = await auditCanned(t, { eth_getBlockByNumber: ([tag]) => listed(tag) })
  assert.deepEqual(twice, [transactionHash])
})

test('auditor: no byte of a path can change unnoticed', () => {
  const text = JSON.stringify(transactionProof)
  const from = text.indexOf('"transaction":{')
  const to = text.indexOf('"startS"')
  // The leaf's own hash is not read, nor is the checkpoint's number: L1 judges that.
  const unread = ['"hash":"0x', '"checkpoint":{"index"'].map((mark) => text.lastIndexOf(mark))
  fc.assert(
    fc.property(fc.integer({ min: from, max: to - 1 }), (at) => {
      if (!/[0-9a-f]/.test(text[at] ?? '')) return
      if (unread.some((start) => at >= start && at < start + 76)) return
      const changed = `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`
      assert.equal(typeof follow(changed), 'string', changed.slice(at - 30, at + 30))
    }),
  )
})

/** What does not even parse is noticed too. */
function follow(text: string): unknown {
  try {
    return followProof(JSON.parse(text) as Proof)
  } catch (error) {
    return String(error)
  }
}
