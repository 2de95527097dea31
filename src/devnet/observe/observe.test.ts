import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { Hex } from '#primitives'
import { gatewayMethods } from '../../../test/support/canned-network.ts'
import { type Answer, fault, serveJsonRpc } from '../../../test/support/json-rpc-server.ts'
import { ManualClock, silentLogger } from '../../../test/support/manual-clock.ts'
import { createPoster } from '../load/connection.ts'
import { emptyRecords, type Sent } from '../load/records.ts'
import { createRpc } from '../load/rpc.ts'
import { Checkpoints } from './checkpoints.ts'
import { findEndings } from './endings.ts'
import { L2Blocks } from './l2-blocks.ts'
import { startLoop } from './loop.ts'
import { NetworkWatch } from './network.ts'
import { Tasks } from './tasks.ts'
import { Timeline } from './timeline.ts'

const word = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`

async function rpcTo(t: TestContext, methods: Readonly<Record<string, Answer>>) {
  const server = await serveJsonRpc(t, methods)
  const poster = createPoster({ timeoutMs: 600_000, connections: 2 })
  t.after(() => poster.close())
  const clock = new ManualClock()
  const rpc = createRpc({ gateways: [server.url], poster, first: 0, nowMs: clock.nowMs })
  return { server, clock, rpc }
}

test('loop: turns begin at their interval, never two at a time, and a failed one is not the last', async () => {
  const clock = new ManualClock(0)
  const starts: number[] = []
  const gates: { readonly open: () => void; readonly fail: (error: Error) => void }[] = []
  const turn = (): Promise<void> => {
    starts.push(clock.nowMs())
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    gates.push({ open: resolve, fail: reject })
    return promise
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const loop = startLoop(clock, 50, turn, silentLogger)
  clock.advance(20)
  gates[0]?.open()
  await settle()
  clock.advance(30)
  clock.advance(70)
  gates[1]?.fail(new Error('once'))
  await settle()
  clock.advance(0)
  gates[2]?.open()
  await loop.stop()
  clock.advance(1_000)
  assert.deepEqual(starts, [0, 50, 120])
})

test('timeline: tells of every leaf when it was first covered', () =>
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 40 }), { maxLength: 30 }),
      fc.nat({ max: 40 }),
      (sizes, leaf) => {
        const timeline = new Timeline()
        for (const [timeMs, size] of sizes.entries()) timeline.reach(size, timeMs)
        const first = sizes.findIndex((size) => size > leaf)
        assert.equal(timeline.coveredMs(leaf), first < 0 ? undefined : first)
      },
    ),
  ))

const blockOf = (number: number, transactions: readonly Hex[], hash = word(1_000 + number)) => ({
  number: `0x${number.toString(16)}`,
  hash,
  transactions,
})

test('L2Blocks: a transaction is confirmed when the first block that lists it is seen', async (t) => {
  const chain = [blockOf(0, [])]
  const at = ([tag]: readonly unknown[]) => (tag === 'latest' ? chain.at(-1) : chain[Number(tag)])
  const { clock, rpc } = await rpcTo(t, { eth_getBlockByNumber: at })
  const blocks = new L2Blocks(rpc, clock.nowMs)
  await blocks.poll()
  chain.push(blockOf(1, [word(1)]))
  clock.advance(50)
  await blocks.poll()
  clock.advance(50)
  await blocks.poll()
  assert.deepEqual(
    [blocks.blockOf(word(1))?.seenMs, blocks.blockOf(word(2))],
    [1_000_050, undefined],
  )
})

test('L2Blocks: blocks between two polls are read too, in batches', async (t) => {
  const chain = [blockOf(0, [])]
  const at = ([tag]: readonly unknown[]) => (tag === 'latest' ? chain.at(-1) : chain[Number(tag)])
  const { clock, rpc } = await rpcTo(t, { eth_getBlockByNumber: at })
  const blocks = new L2Blocks(rpc, clock.nowMs)
  await blocks.poll()
  for (let number = 1; number <= 30; number++) chain.push(blockOf(number, [word(number)]))
  await blocks.poll()
  assert.equal(blocks.isBehind, true)
  await blocks.poll()
  assert.equal(blocks.isBehind, false)
  for (let number = 1; number <= 30; number++)
    assert.equal(blocks.blockOf(word(number))?.number, number)
  assert.equal(blocks.repeated.size, 0)
})

test('L2Blocks: a transaction in two blocks, or in two blocks of one number, is seen twice', async (t) => {
  const answers = [
    blockOf(1, [word(1)]),
    blockOf(2, [word(1), word(2)]),
    blockOf(2, [word(2)], word(77)),
    blockOf(1, [word(1)]),
  ]
  const { clock, rpc } = await rpcTo(t, { eth_getBlockByNumber: () => answers.shift() })
  const blocks = new L2Blocks(rpc, clock.nowMs)
  for (let turn = 0; turn < 4; turn++) await blocks.poll()
  assert.deepEqual(blocks.repeated, new Set([word(1), word(2)]))
})

const checkpoint = (index: number, size: number, status: string, isSigned: boolean) => ({
  index,
  size,
  root: word(index),
  startS: 0,
  windowS: 4,
  submitters: [1],
  status,
  cutMs: 1,
  certifiedMs: 0,
  ...(isSigned ? { signature: `0x${'22'.repeat(65)}` } : {}),
})

test('Checkpoints: only what is signed covers leaves, and what was there before does not count', async (t) => {
  let views = [checkpoint(1, 4, 'landed', true)]
  const { clock, rpc } = await rpcTo(t, { nodeop_checkpoints: () => views })
  const checkpoints = new Checkpoints(rpc, clock.nowMs)
  await checkpoints.begin()
  views = [checkpoint(3, 9, 'pending', false), checkpoint(2, 7, 'certified', true), ...views]
  await checkpoints.poll()
  clock.advance(100)
  views = [checkpoint(3, 9, 'certified', true)]
  await checkpoints.poll()
  assert.deepEqual([...checkpoints.certified.keys()], [2, 3])
  const { timeline } = checkpoints
  assert.deepEqual(
    [6, 7, 8, 9].map((leaf) => timeline.coveredMs(leaf)),
    [1_000_000, 1_000_100, 1_000_100, undefined],
  )
})

const taskView = (id: Hex, status: string, reason = '') => ({
  id,
  request: {
    client: `0x${'01'.repeat(20)}`,
    service: 'price',
    payload: '0x',
    maxFee: '1',
    validUntilMs: 1,
    salt: word(1),
  },
  status,
  fee: '1',
  attempt: 1,
  acceptedHeight: 1,
  drawnHeight: 2,
  deadlineMs: 3,
  committee: [],
  agreeing: [],
  leafIndex: 5,
  audit: 'none',
  reason,
})

const accepted = (id: Hex): Sent => ({
  id,
  requestedMs: 0,
  status: 'accepted',
  reason: '',
  isUncertain: false,
})

test('Tasks: each is followed to its end, and asked for no more after it', async (t) => {
  const statuses = new Map([
    [word(1), ['accepted', 'agreed', 'settled']],
    [word(2), ['committing', 'expired']],
    [word(3), ['settled']],
  ])
  const answer = ([id]: readonly unknown[]) => {
    const status = statuses.get(id as Hex)?.shift()
    return status ? taskView(id as Hex, status, status === 'expired' ? 'NoAgreement' : '') : null
  }
  const { server, clock, rpc } = await rpcTo(t, { nodeop_getTask: answer })
  const records = emptyRecords()
  for (const id of statuses.keys()) records.tasks.set(id, accepted(id))
  records.tasks.set(word(9), { ...accepted(word(9)), status: 'refused' })
  const tasks = new Tasks(rpc, records, clock.nowMs)
  for (let turn = 0; turn < 4; turn++) {
    await tasks.poll()
    clock.advance(200)
  }
  assert.deepEqual(tasks.progressOf(word(1)), {
    leafIndex: 5,
    agreedMs: 1_000_200,
    settledMs: 1_000_400,
    expired: undefined,
  })
  assert.equal(tasks.progressOf(word(2)).expired, 'NoAgreement')
  assert.equal(tasks.progressOf(word(3)).agreedMs, 1_000_000)
  assert.equal(server.calls.length, 3 + 2 + 1)
})

test('findEndings: a reason counts when no gateway still holds the subject', async (t) => {
  const proof =
    (status: string, reason?: string) =>
    ([subject]: readonly unknown[]) => ({
      subject,
      kind: 'transaction',
      status: subject === word(3) ? 'unknown' : status,
      ...(reason ? { reason } : {}),
    })
  const { rpc: first } = await rpcTo(t, { nodeop_getProof: proof('refused', 'NonceTooLow') })
  const { rpc: second } = await rpcTo(t, {
    nodeop_getProof: ([subject]) => proof(subject === word(2) ? 'accepted' : 'unknown')([subject]),
  })
  const { rpc: down } = await rpcTo(t, { nodeop_getProof: () => fault(-32603, 'internal error') })
  const endings = await findEndings([first, second, down], [word(1), word(2), word(3)])
  assert.deepEqual([...endings], [[word(1), 'NonceTooLow']])
})

test('NetworkWatch: counts blocks by height within the time, rounds and misses since it began', async (t) => {
  let missed = 3
  const view = (height: number, round: number) => ({
    height,
    hash: word(height),
    timeMs: height * 100,
    proposer: 1,
    round,
    transactions: 0,
  })
  const one = String(10n ** 18n)
  const score = {
    ...{ service: 'price', timeliness: one, agreement: one, latency: one, trust: one, share: one },
    ...{ drawn: 1, late: 0, missing: 0, outlying: 0, upheld: 0, refuted: 0, earned: '0' },
  }
  const operator = () => ({
    id: 1,
    name: 'ada',
    status: 'active',
    power: '1',
    ledgerAddress: `0x${'01'.repeat(20)}`,
    consensusKey: word(1),
    l1Account: `0x${'02'.repeat(20)}`,
    sequence: 1,
    view: { block: 1, events: 0, digest: word(1), fork: false },
    missedWindows: missed,
    silentSessions: 0,
    scores: [score],
  })
  const { rpc } = await rpcTo(t, {
    nodeop_status: gatewayMethods.nodeop_status ?? assert.fail(),
    nodeop_operators: () => [operator(), { ...operator(), id: 2 }],
    nodeop_blocks: () => [view(12, 1), view(9, 2), view(5, 0), view(2, 4)],
  })
  const network = new NetworkWatch(rpc)
  await network.begin()
  await network.poll()
  missed = 4
  const counts = await network.count(500, 1_000)
  const { timeMs, epoch } = { timeMs: 1_000_000, epoch: 3 }
  const allocations = [{ epoch, timeMs, shares: { '1': 0.5, '2': 0.5 } }]
  assert.deepEqual(counts, { blocks: 5, blocksAboveRound0: 1, missedWindows: 2, allocations })
})
