import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseEventLogs } from 'viem'
import {
  type CertifiedCheckpoint,
  createL1Client,
  deliverLeaves,
  opensAtS,
  outboxAbi,
  priceConsumerAbi,
  type Submission,
  submitCheckpoint,
} from './index.ts'
import { keepingLogger, manualClock } from './test-support/clock.ts'
import { startTestL1, submitterKey, type TestL1 } from './test-support/l1.ts'
import { createTestOutbox, taskId } from './test-support/outbox.ts'

let l1: TestL1
let box: ReturnType<typeof createTestOutbox>
before(async () => {
  l1 = await startTestL1()
  box = createTestOutbox(l1.outbox)
})
after(() => l1.stop())

/** An operator's access to the Outbox, on a clock that the test moves. */
function operator(id: number) {
  const clock = manualClock()
  const account = l1.account(submitterKey(id), { clock })
  const { client, outbox } = l1
  const access = { client, outbox, account, clock, logger: keepingLogger() }
  const submit = (certified: CertifiedCheckpoint) =>
    submitCheckpoint(access, { ...certified, operator: id })
  return { access, account, clock, submit }
}

/** Lets operators whose transactions wait have them mined together. */
async function mined<T>(
  operators: readonly ReturnType<typeof operator>[],
  happening: readonly Promise<T>[],
): Promise<T[]> {
  for (const { clock } of operators) await clock.armed()
  await l1.mine()
  for (const { clock } of operators) await clock.fire()
  return Promise.all(happening)
}

/** One operator's submission, mined. */
async function submitted(id: number, certified: CertifiedCheckpoint): Promise<Submission> {
  const one = operator(id)
  const [submission] = await mined([one], [one.submit(certified)])
  assert(submission)
  return submission
}

test('submit: a certified checkpoint is recorded, and pays', async () => {
  box.addPrice('ETH-USD', 1n)
  const submission = await submitted(1, box.certify())
  assert(submission.kind === 'recorded')
  assert(submission.payWei > 10n ** 12n, 'the tip and the gas')
  const logs = await l1.client.getLogs({ address: l1.outbox, fromBlock: BigInt(submission.block) })
  const [event] = parseEventLogs({ abi: outboxAbi, eventName: 'CheckpointRecorded', logs })
  assert.equal(event?.transactionHash, submission.transaction)
  assert.equal(event.args.pay, submission.payWei)
})

test('submit: of two operators at once one records, and the other finds it recorded', async () => {
  const certified = box.certify({ windowS: 0 })
  const [one, two] = [operator(1), operator(2)]
  const both = await mined([one, two], [one.submit(certified), two.submit(certified)])
  assert.deepEqual(both.map(({ kind }) => kind).sort(), ['already', 'recorded'])
})

test('submit: what a newer checkpoint has superseded costs nothing', async () => {
  const older = box.certify()
  assert.equal((await submitted(1, box.certify())).kind, 'recorded')
  const { account, submit } = operator(2)
  const nonce = await l1.client.getTransactionCount({ address: account.address })
  assert.deepEqual(await submit(older), { kind: 'already' })
  assert.equal(await l1.client.getTransactionCount({ address: account.address }), nonce)
})

test('submit: each operator waits for its window, then the next in line may step in', async () => {
  const { timestamp } = await l1.client.getBlock()
  const startS = Number(timestamp) + 100
  const certified = box.certify({ startS, windowS: 10, submitters: [1, 2] })
  const nowS = async (seconds: number) => {
    for (const { clock } of [one, two, three]) clock.setNowMs(seconds * 1000)
    await l1.request('evm_setNextBlockTimestamp', seconds)
  }
  const [one, two, three] = [operator(1), operator(2), operator(3)]
  await nowS(startS - 1)
  const early = { kind: 'too-early', opensAtS: startS }
  assert.deepEqual(await one.submit(certified), early)
  await l1.mine()
  await nowS(startS + 9)
  assert.deepEqual(await two.submit(certified), { ...early, opensAtS: startS + 10 })
  assert.deepEqual(await three.submit(certified), { ...early, opensAtS: startS + 20 })
  await l1.mine()
  await nowS(startS + 10)
  const [submission] = await mined([two], [two.submit(certified)])
  assert(submission?.kind === 'recorded')
  assert.equal(submission.window, 1)
})

test('submit: a signature by anyone else is refused by name, and not sent', async () => {
  const { access, submit } = operator(1)
  const { checkpoint } = box.certify()
  const { signature } = box.certify()
  const refused = { kind: 'refused', reason: 'InvalidSignature' }
  assert.deepEqual(await submit({ checkpoint, signature, operator: 1 }), refused)
  const foreign = box.certify()
  assert.deepEqual(await submitCheckpoint(access, { ...foreign, operator: 2 }), {
    kind: 'refused',
    reason: 'NotSubmitter',
  })
})

test('submit: with no node there, it says so', async () => {
  const { access } = operator(1)
  const client = createL1Client('http://127.0.0.1:1')
  const submission = await submitCheckpoint({ ...access, client }, box.certify())
  assert.deepEqual(submission, { kind: 'refused', reason: 'L1Unreachable' })
})

test('opensAtS: named operators by their place, all others after the last', () => {
  const { checkpoint } = box.certify({ startS: 100, windowS: 4, submitters: [7, 3, 5] })
  const opens = [7, 3, 5, 9].map((id) => opensAtS(checkpoint, id))
  assert.deepEqual(opens, [100, 104, 108, 112])
  assert.equal(opensAtS({ ...checkpoint, submitters: [] }, 7), 100)
})

test('deliver: results reach their consumer, once, whoever brings them', async () => {
  const leaves = [2n, 3n, 4n].map((price) => box.addPrice(`BTC-USD ${price}`, price))
  const certified = box.certify()
  assert.equal((await submitted(1, certified)).kind, 'recorded')
  const { checkpoint } = certified
  const due = { leaves: leaves.map((leaf) => box.prove(leaf, checkpoint)), checkpoint }
  const [one, two] = [operator(1), operator(2)]
  const [first, second] = await mined(
    [one, two],
    [deliverLeaves(one.access, due), deliverLeaves(two.access, due)],
  )
  assert(first && second)
  for (const { index } of leaves) {
    const kinds = [first.get(index), second.get(index)].map((one) => one?.kind).sort()
    assert.deepEqual(kinds, ['already', 'executed'])
  }
  const result = await l1.client.readContract({
    address: l1.priceConsumer,
    abi: priceConsumerAbi,
    functionName: 'resultOf',
    args: [taskId('BTC-USD 3')],
  })
  assert.deepEqual(result, [3n, 1_700_000_000n])
  const again = await deliverLeaves(one.access, due)
  assert.deepEqual([...again.values()], Array(3).fill({ kind: 'already' }))
})

test('deliver: leaves that L1 refuses do not hold back the others', async () => {
  const [good, bad] = [box.addPrice('EUR-USD', 5n), box.addPrice('GBP-USD', 6n)]
  const certified = box.certify()
  assert.equal((await submitted(1, certified)).kind, 'recorded')
  const { checkpoint } = certified
  const forged = { leaf: { ...bad, stakeWei: 1n }, siblings: box.prove(bad, checkpoint).siblings }
  const one = operator(1)
  const due = { leaves: [forged, box.prove(good, checkpoint)], checkpoint }
  const [results] = await mined([one], [deliverLeaves(one.access, due)])
  const { transaction } = (await l1.client.getBlock()).transactions.map((hash) => ({
    transaction: hash,
  }))[0] ?? { transaction: undefined }
  assert.deepEqual(
    results,
    new Map<number, unknown>([
      [bad.index, { kind: 'refused', reason: 'NotIncluded' }],
      [good.index, { kind: 'executed', transaction, success: true }],
    ]),
  )
  const unrecorded = { ...due, checkpoint: { ...checkpoint, index: 999 } }
  const refused = await deliverLeaves(one.access, unrecorded)
  assert.deepEqual(refused.get(good.index), { kind: 'refused', reason: 'NotRecorded' })
})
