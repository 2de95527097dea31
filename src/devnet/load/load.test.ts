import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as tick } from 'node:timers/promises'
import fc from 'fast-check'
import { parseTransaction, recoverTransactionAddress } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { signedTaskSchema, toTaskRequest } from '#api'
import { loadSecp256k1 } from '#node'
import { fromHex, type Hex, keccak256Hex, toHex } from '#primitives'
import { taskDigest } from '#records'
import { type Answer, fault, serveJsonRpc } from '../../../test/support/json-rpc-server.ts'
import { ManualClock, silentLogger } from '../../../test/support/manual-clock.ts'
import { createLoad, type LoadOptions } from './load.ts'
import { startMetronome } from './metronome.ts'
import { giveBack, noncesFrom, skipUsed, takeNonce } from './nonces.ts'
import { emptyRecords } from './records.ts'
import type { Rpc } from './rpc.ts'
import { createSender } from './sender.ts'
import { recipientOf, signTransfer } from './transfer.ts'

const { sign } = loadSecp256k1()
const secretOf = (place: number): Hex => toHex(new Uint8Array(32).fill(place + 1))
const hashOfRaw = ([raw]: readonly unknown[]) => keccak256Hex(fromHex(raw as Hex))

const canned = (sendRaw: Answer): Readonly<Record<string, Answer>> => ({
  eth_getTransactionCount: () => '0x7',
  eth_getBlockByNumber: () => ({ baseFeePerGas: '0x3b9aca00' }),
  eth_sendRawTransaction: sendRaw,
  nodeop_sendTask: () => word,
})
const word: Hex = `0x${'11'.repeat(32)}`

function loadOver(gateways: readonly string[], changes: Partial<LoadOptions> = {}) {
  const clock = new ManualClock()
  const load = createLoad({
    gateways,
    l2ChainId: 20_260,
    senders: [secretOf(0), secretOf(1)],
    taskClient: secretOf(9),
    networkId: word,
    rate: 10,
    tasksPerSecond: 0,
    symbols: ['ETH/USD', 'BTC/USD'],
    sign,
    clock,
    logger: silentLogger,
    ...changes,
  })
  return { clock, load }
}

const rawSent = (calls: readonly { method: string; params: readonly unknown[] }[]) =>
  calls
    .filter(({ method }) => method === 'eth_sendRawTransaction')
    .map(({ params }) => params[0] as Hex)

test('metronome: calls are evenly spaced, and missed ones are made up for with their own time', () => {
  const clock = new ManualClock(0)
  const times: number[] = []
  const stop = startMetronome(clock, 4, (dueMs) => times.push(dueMs))
  clock.advance(500)
  clock.stall(1_000)
  clock.advance(250)
  assert.equal(clock.nowMs(), 1_750)
  stop()
  clock.advance(5_000)
  assert.deepEqual(times, [125, 375, 625, 875, 1_125, 1_375, 1_625])
  assert.equal(clock.waiting, 0)
})

test('metronome: a rate that is no divisor of a second keeps its count', () => {
  const clock = new ManualClock(0)
  let calls = 0
  startMetronome(clock, 333, () => calls++)
  clock.advance(60_000)
  assert.equal(calls, 333 * 60)
})

test('nonces: whatever is refused and used elsewhere, no nonce is out twice', () =>
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 60 }), (steps) => {
      let nonces = noncesFrom(5)
      const used = new Set<number>()
      for (const step of steps) {
        const taken = takeNonce(nonces)
        assert(!used.has(taken.nonce), `${taken.nonce} twice`)
        nonces = taken.nonces
        if (step === 0) nonces = giveBack(nonces, taken.nonce)
        else used.add(taken.nonce)
        if (step === 3) {
          for (let nonce = 0; nonce < taken.nonce; nonce++) used.add(nonce)
          nonces = skipUsed(nonces, taken.nonce + 1)
        }
      }
    }),
  ))

test('nonces: one that was given back goes first', () => {
  const first = takeNonce(noncesFrom(5))
  const second = takeNonce(first.nonces)
  assert.equal(takeNonce(giveBack(second.nonces, first.nonce)).nonce, 5)
})

test('signTransfer: is an EIP-1559 transfer of the sender, known by its hash', async () => {
  const transfer = {
    chainId: 20_260,
    nonce: 3,
    to: recipientOf(1),
    value: 9n,
    maxFeePerGas: 20n,
    maxPriorityFeePerGas: 2n,
  }
  const { raw, hash } = signTransfer(transfer, fromHex(secretOf(0)), sign)
  const { r: _r, s: _s, yParity: _y, v: _v, type, gas, ...rest } = parseTransaction(raw)
  assert.deepEqual({ ...rest, type, gas }, { ...transfer, type: 'eip1559', gas: 21_000n })
  const serializedTransaction = raw as `0x02${string}`
  const from = await recoverTransactionAddress({ serializedTransaction })
  assert.equal(from, privateKeyToAddress(secretOf(0)))
  assert.equal(hash, keccak256Hex(fromHex(raw)))
})

test('load: offers what the rate says, from each sender in turn, nonces without gaps', async (t) => {
  const gateway = await serveJsonRpc(t, canned(hashOfRaw))
  const { clock, load } = loadOver([gateway.url])
  await load.start()
  clock.advance(1_000)
  await load.stop()
  const sent = rawSent(gateway.calls).map((raw) => parseTransaction(raw))
  assert.equal(sent.length, 10)
  assert.deepEqual(
    sent.map(({ nonce }) => nonce ?? 0).sort((a, b) => a - b),
    [7, 7, 8, 8, 9, 9, 10, 10, 11, 11],
  )
  assert.equal(new Set(sent.map(({ to }) => to)).size, 10)
  const records = [...load.records.transactions.values()]
  assert.deepEqual(new Set(records.map(({ status }) => status)), new Set(['accepted']))
  assert.deepEqual(
    records.map(({ requestedMs }) => requestedMs).sort(),
    Array.from({ length: 10 }, (_, i) => 1_000_050 + 100 * i),
  )
  assert.deepEqual(load.records.span, { startMs: 1_000_000, stopMs: 1_001_000 })
})

test('load: a gateway that has just started and is behind does not say which nonce is next', async (t) => {
  const answers = canned(hashOfRaw)
  const behind = await serveJsonRpc(t, answers)
  const ahead = await serveJsonRpc(t, { ...answers, eth_getTransactionCount: () => '0x9' })
  const { clock, load } = loadOver([behind.url, ahead.url])
  await load.start()
  clock.advance(200)
  await load.stop()
  const sent = [behind, ahead].flatMap(({ calls }) => rawSent(calls))
  assert.deepEqual(
    sent.map((raw) => parseTransaction(raw).nonce),
    [9, 9],
  )
})

test('load: the same bytes go to the next gateway, and "already known" is success', async (t) => {
  const busy = await serveJsonRpc(t, canned(hashOfRaw))
  const knowing = await serveJsonRpc(
    t,
    canned(() => fault(-32000, 'already known')),
  )
  const { clock, load } = loadOver([busy.url, knowing.url], { senders: [secretOf(0)], rate: 1 })
  await load.start()
  busy.status = 500
  clock.advance(500)
  await load.stop()
  const [record] = load.records.transactions.values()
  assert.deepEqual([record?.status, record?.isUncertain], ['accepted', true])
  assert.deepEqual(
    rawSent(knowing.calls).map((raw) => keccak256Hex(fromHex(raw))),
    [record?.id],
  )
})

test('load: a refused nonce is used again, the refusal is kept with its reason', async (t) => {
  let refusals = 1
  const gateway = await serveJsonRpc(
    t,
    canned((params) => (refusals-- > 0 ? fault(-32000, 'full', 'PoolFull') : hashOfRaw(params))),
  )
  const { clock, load } = loadOver([gateway.url], { senders: [secretOf(0)] })
  await load.start()
  clock.advance(300)
  await load.stop()
  const nonces = rawSent(gateway.calls).map((raw) => parseTransaction(raw).nonce)
  assert.deepEqual(nonces, [7, 7, 8])
  assert.deepEqual(
    [...load.records.transactions.values()].map(({ status, reason }) => [status, reason]),
    [
      ['refused', 'PoolFull'],
      ['accepted', ''],
      ['accepted', ''],
    ],
  )
})

test('load: when nobody answers, that is what is recorded', async (t) => {
  const gateway = await serveJsonRpc(t, canned(hashOfRaw))
  const { clock, load } = loadOver([gateway.url], { rate: 2 })
  await load.start()
  await gateway.close()
  clock.advance(250)
  await load.stop()
  const statuses = [...load.records.transactions.values()].map(({ status }) => status)
  assert.deepEqual(statuses, ['unanswered'])
})

test('sender: the same bytes are sent until somebody answers, however long nobody does', async () => {
  const clock = new ManualClock()
  const raws: unknown[] = []
  const silence = { replies: undefined, failures: ['down'], mayHaveArrived: false }
  let outage = 100
  const rpc: Rpc = {
    async send([call]) {
      raws.push(call?.params[0])
      const taken = { kind: 'result' as const, result: word }
      return outage-- > 0 ? silence : { ...silence, replies: [taken], failures: [] }
    },
  }
  const nonces: number[] = []
  const sender = createSender(
    {
      ...{ address: word, rpc, records: emptyRecords(), clock, isStopping: () => false },
      sign: (nonce) => ({ raw: toHex(Uint8Array.of(nonces.push(nonce))), hash: word }),
    },
    7,
  )
  sender.offer(0)
  sender.offer(0)
  for (let turn = 0; outage >= -1 && turn < 1_000; turn++) {
    clock.advance(500)
    await tick()
  }
  await sender.idle()
  assert.deepEqual([nonces, new Set(raws.slice(0, 101)).size, raws.length], [[7, 8], 1, 102])
})

test('load: does not start where nobody answers', async (t) => {
  const gateway = await serveJsonRpc(t, {})
  await assert.rejects(loadOver([gateway.url]).load.start(), { code: 'LoadStart' })
})

test('load: tasks are signed requests for one symbol after the other, and a known one is taken', async (t) => {
  const gateway = await serveJsonRpc(t, {
    ...canned(hashOfRaw),
    nodeop_sendTask: () => fault(-32000, 'KnownTask', 'KnownTask'),
  })
  const { clock, load } = loadOver([gateway.url], { rate: 0, tasksPerSecond: 1 })
  await load.start()
  clock.advance(3_000)
  await load.stop()
  const requests = gateway.calls
    .filter(({ method }) => method === 'nodeop_sendTask')
    .map(({ params }) => signedTaskSchema.parse(params[0]))
  const ids = requests.map(({ request }) => taskDigest(word, toTaskRequest(request)))
  assert.deepEqual(new Set(load.records.tasks.keys()), new Set(ids))
  assert.deepEqual(
    [...load.records.tasks.values()].map(({ status }) => status),
    ['accepted', 'accepted', 'accepted'],
  )
  assert.equal(new Set(requests.map(({ request }) => request.payload)).size, 2)
})

test('load: stopped before it has started, it offers nothing', async (t) => {
  const gateway = await serveJsonRpc(t, canned(hashOfRaw))
  const { clock, load } = loadOver([gateway.url])
  const starting = load.start()
  await load.stop()
  await starting.catch(() => {})
  clock.advance(1_000)
  assert.equal(load.records.transactions.size, 0)
})
