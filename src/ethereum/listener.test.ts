import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { encodeFunctionData } from 'viem'
import type { Hex } from '#primitives'
import { chainL1Digest, emptyL1Digest, type L1View } from '#records'
import {
  createL1Client,
  createL1Listener,
  deliverLeaves,
  type L1ListenerOptions,
  serviceManagerAbi,
  signerFromKey,
  submitCheckpoint,
} from './index.ts'
import { hastyClock, keepingLogger, manualClock } from './test-support/clock.ts'
import { fundedKey, startProxy, startTestL1, submitterKey, type TestL1 } from './test-support/l1.ts'
import { createTestOutbox } from './test-support/outbox.ts'

let l1: TestL1
before(async () => {
  l1 = await startTestL1()
})
after(() => l1.stop())

const client: Hex = `0x${'c1'.repeat(20)}`

/** A listener on a clock that the test moves; `poll` returns when the next poll is due. */
function listen(more: Partial<L1ListenerOptions> = {}) {
  const clock = manualClock()
  const logger = keepingLogger()
  const { outbox, serviceManager, startBlock } = l1
  const base = {
    client: l1.client,
    outbox,
    serviceManager,
    startBlock,
    depth: () => 1,
    pollMs: 100,
  }
  const listener = createL1Listener({ ...base, clock, logger, ...more })
  let started = false
  const poll = async () => {
    if (started) return clock.step()
    started = true
    listener.start()
    return clock.armed()
  }
  return { ...listener, poll, lines: logger.lines }
}

/** Pays in for a client, in the next block. @returns the transaction. */
async function deposit(amountWei: bigint): Promise<Hex> {
  const account = l1.account(fundedKey(4))
  const args = [client] as const
  const sent = account.send({
    to: l1.serviceManager,
    data: encodeFunctionData({ abi: serviceManagerAbi, functionName: 'deposit', args }),
    valueWei: amountWei,
    gas: 100_000n,
  })
  const mined = await minedWith(sent)
  account.stop()
  assert(mined.ok)
  return mined.receipt.transaction
}

/** Mines whenever something waits, until it has happened. */
async function minedWith<T>(happening: Promise<T>): Promise<T> {
  let isOver = false
  const ended = happening.finally(() => {
    isOver = true
  })
  while (!isOver) {
    const { pending } = (await l1.request('txpool_status')) as { pending: Hex }
    if (pending !== '0x0') await l1.mine()
  }
  return ended
}

/** Takes the last blocks away, and puts as many empty ones and one more in their place. */
async function reorganise(blocks: number): Promise<void> {
  await l1.request('anvil_reorg', blocks, [])
  await l1.mine()
}

test('listener: deposits, checkpoints and executed leaves come in the order of L1', async () => {
  const box = createTestOutbox(l1.outbox)
  const leaf = box.addPrice('ETH-USD', 3_000n)
  const certified = box.certify()
  const account = l1.account(submitterKey(1))
  const access = { ...l1, account, clock: hastyClock, logger: keepingLogger() }
  await deposit(5n)
  assert.equal((await minedWith(submitCheckpoint(access, certified))).kind, 'recorded')
  const { checkpoint } = certified
  const due = { leaves: [box.prove(leaf, checkpoint)], checkpoint }
  assert.equal((await minedWith(deliverLeaves(access, due))).get(0)?.kind, 'executed')
  await deposit(7n)

  const listener = listen()
  assert.deepEqual(listener.view(), {
    block: l1.startBlock - 1,
    events: 0,
    digest: emptyL1Digest,
    fork: false,
  })
  const views: L1View[] = []
  listener.onAdvance((view) => views.push(view))
  await listener.poll()
  const events = listener.events(0, 10)
  const kinds = ['deposited', 'checkpoint-recorded', 'leaf-executed', 'deposited']
  assert.deepEqual(
    events.map(({ kind }) => kind),
    kinds,
  )
  const [first, recorded, executed] = events
  assert(first?.kind === 'deposited' && first.amountWei === 5n && first.account === client)
  assert(recorded?.kind === 'checkpoint-recorded')
  const submitter = signerFromKey(submitterKey(1)).address.toLowerCase()
  const { index, size, root } = checkpoint
  const { block, transaction, logIndex, timeS, window, ...rest } = recorded
  assert.deepEqual(rest, {
    kind: 'checkpoint-recorded',
    index,
    size,
    root,
    submitter,
    operator: 1,
  })
  assert(executed?.kind === 'leaf-executed' && executed.success)
  assert.deepEqual([executed.subject, executed.leafIndex], [leaf.subject, 0])
  const digest = events.reduce(chainL1Digest, emptyL1Digest)
  const head = Number(await l1.client.getBlockNumber())
  assert.deepEqual(views, [{ block: head, events: 4, digest, fork: false }])
  assert.deepEqual(listener.view(), views[0])
  assert.equal(listener.digestAt(1), chainL1Digest(emptyL1Digest, first))
  assert.equal(listener.digestAt(5), undefined)
  assert.deepEqual(listener.events(1, 2), events.slice(1, 3))
  listener.stop()
})

test('listener: however it reads L1, in steps or at once, it says the same', async () => {
  const slow = listen()
  for (let i = 0; i < 3; i++) {
    await deposit(BigInt(10 + i))
    await slow.poll()
  }
  await l1.mine(600) // more than one request for logs
  const late = listen()
  await late.poll()
  await slow.poll()
  assert.deepEqual(late.view(), slow.view())
  slow.stop()
  late.stop()
})

test('listener: an outage is waited out and logged once', async () => {
  const proxy = await startProxy(l1.url)
  const listener = listen({ client: createL1Client(proxy.url) })
  await listener.poll()
  const before = listener.view()
  proxy.cut(true)
  await deposit(20n)
  for (let i = 0; i < 3; i++) await listener.poll()
  assert.deepEqual(listener.view(), before)
  assert.equal(listener.lines.length, 1)
  proxy.cut(false)
  await listener.poll()
  assert.equal(listener.view().events, before.events + 1)
  assert.deepEqual(listener.lines.slice(1), ['info L1 answers again'])
  listener.stop()
  await proxy.stop()
})

test('listener: a block counts when it is as deep as governed', async () => {
  await l1.mine(3)
  const listener = listen({ depth: () => 3 })
  await listener.poll()
  const { events } = listener.view()
  await deposit(30n)
  const mined = Number(await l1.client.getBlockNumber())
  await l1.mine()
  await listener.poll()
  assert.deepEqual([listener.view().block, listener.view().events], [mined - 1, events])
  await l1.mine()
  await listener.poll()
  assert.deepEqual([listener.view().block, listener.view().events], [mined, events + 1])
  listener.stop()
})

test('listener: a reorganisation above the depth goes unnoticed', async () => {
  await l1.mine(3)
  const listener = listen({ depth: () => 3 })
  await listener.poll()
  const before = listener.view()
  await deposit(40n)
  await reorganise(1)
  await l1.mine(3)
  await listener.poll()
  assert.deepEqual([listener.view().events, listener.view().fork], [before.events, false])
  assert.deepEqual(listener.lines, [])
  listener.stop()
})

test('listener: one below the depth that takes back events is a fork', async () => {
  const listener = listen()
  await deposit(50n)
  await listener.poll()
  const before = listener.view()
  await reorganise(1)
  await listener.poll()
  const now = listener.view()
  assert.deepEqual([now.events, now.fork], [before.events - 1, true])
  await deposit(51n)
  await listener.poll()
  assert.deepEqual([listener.view().events, listener.view().fork], [before.events, true])
  assert.notEqual(listener.view().digest, before.digest)
  listener.stop()
})

test('listener: a fork ends when L1 holds again what was agreed on, in the same places', async () => {
  const listener = listen()
  const mined = await deposit(55n)
  await listener.poll()
  const before = listener.view()
  const raw = await l1.request('eth_getRawTransactionByHash', mined)
  await reorganise(1)
  await listener.poll()
  assert.equal(listener.view().fork, true)
  await l1.request('anvil_reorg', 2, [[raw, 0]])
  await l1.mine()
  await listener.poll()
  const { events, digest, fork } = listener.view()
  assert.deepEqual([events, digest, fork], [before.events, before.digest, false])
  listener.stop()
})

test('listener: one below the depth that changes no events is no fork', async () => {
  const listener = listen()
  await deposit(60n)
  await l1.mine(2)
  await listener.poll()
  const before = listener.view()
  await reorganise(2)
  await listener.poll()
  assert.deepEqual(listener.view(), { ...before, block: before.block + 1 })
  assert.deepEqual(listener.lines, ['warn L1 reorganised below the governed depth'])
  listener.stop()
})

test('listener: what the network never agreed on may change without a fork', async () => {
  const before = listen()
  await before.poll()
  const agreed = before.view()
  before.stop()
  const listener = listen({ agreed: () => agreed })
  await deposit(70n)
  await listener.poll()
  assert.equal(listener.view().events, agreed.events + 1)
  await reorganise(1)
  await listener.poll()
  assert.deepEqual([listener.view().events, listener.view().fork], [agreed.events, false])
  listener.stop()
})
