import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckpointRecord } from '#records'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  publishNonces,
  recorded,
  slowCuts,
  vouch,
} from '../../test/support/ledger-script.ts'
import { ManualClock, silentLogger } from '../../test/support/manual-clock.ts'
import { type L1Outcome, L1Worker } from './l1-duties.ts'

/** A network of so many operators with a certified checkpoint. */
function certified(operators = 4) {
  const network = new LedgerNetwork(operators, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  agreeOnTask(network)
  return { network, entry: certify(network) }
}

/** One operator's worker; L1 answers what the test says. */
function setUp(network: LedgerNetwork, operator: number, startMs: number) {
  const clock = new ManualClock(startMs)
  const submitted: { readonly index: number; readonly atMs: number }[] = []
  const delivered: (readonly number[])[] = []
  const l1: { answer: () => Promise<L1Outcome>; executes: (index: number) => boolean } = {
    answer: async () => 'done',
    executes: () => true,
  }
  const worker = new L1Worker({
    operator,
    ledger: () => network.ledger,
    actions: {
      submit: ({ checkpoint: { index } }) => {
        submitted.push({ index, atMs: clock.nowMs() })
        return l1.answer()
      },
      deliver: async (leaves) => {
        delivered.push(leaves.map(({ index }) => index))
        return new Set(leaves.map(({ index }) => index).filter(l1.executes))
      },
    },
    switches: { submits: () => true },
    prove: () => [],
    clock,
    logger: silentLogger,
  })
  /** Time passes in small steps, in which what is settled runs on. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.advance(50)
      await new Promise(setImmediate)
    }
  }
  return { clock, submitted, delivered, l1, worker, pass }
}

const startMsOf = ({ checkpoint }: CheckpointRecord) => checkpoint.startS * 1000

test('l1 worker: owners in their windows, strangers after them, one after another', async () => {
  const { network, entry } = certified(7)
  const { submitters, windowS, index } = entry.checkpoint
  const firstTries = new Map<number, number>()
  for (const { id } of network.operators) {
    const { worker, submitted, pass } = setUp(network, id, startMsOf(entry) - 1_000)
    worker.start()
    await pass(36_000)
    worker.stop()
    firstTries.set(id, (submitted[0]?.atMs ?? 0) - startMsOf(entry))
  }
  const within = (ms: number | undefined, fromMs: number) =>
    assert(ms !== undefined && ms >= fromMs && ms <= fromMs + 300, `${ms} after ${fromMs}`)
  for (const [place, id] of submitters.entries()) within(firstTries.get(id), place * windowS * 1000)
  for (const { id } of network.operators)
    if (!submitters.includes(id))
      within(firstTries.get(id), submitters.length * windowS * 1000 + ((id + index) % 16) * 1000)
})

test('l1 worker: what landed is not sent again while the ledger has yet to hear of it', async () => {
  const { network, entry } = certified()
  const owner = entry.checkpoint.submitters[0] ?? 0
  const { worker, submitted, pass } = setUp(network, owner, startMsOf(entry))
  worker.start()
  await pass(19_000)
  assert.equal(submitted.length, 1)
  await pass(2_000)
  assert.equal(submitted.length, 2, 'L1 may have forgotten it')
  worker.stop()
})

test('l1 worker: failures are tried again for ever, with pauses', async () => {
  const { network, entry } = certified()
  const owner = entry.checkpoint.submitters[0] ?? 0
  const { worker, submitted, l1, pass } = setUp(network, owner, startMsOf(entry))
  l1.answer = () => Promise.reject(new Error('L1 is down'))
  worker.start()
  await pass(20_000)
  assert(submitted.length >= 10 && submitted.length <= 14, `${submitted.length} tries in 20 s`)
  l1.answer = async () => 'already'
  await pass(3_000)
  const tries = submitted.length
  await pass(3_000)
  assert.equal(submitted.length, tries)
  worker.stop()
})

test('l1 worker: one submission at a time; a newer certificate comes after it', async () => {
  const { network, entry } = certified()
  const owner = entry.checkpoint.submitters[0] ?? 0
  const { worker, submitted, l1, pass } = setUp(network, owner, startMsOf(entry))
  let land = (_: L1Outcome) => {}
  l1.answer = () =>
    new Promise((resolve) => {
      land = resolve
    })
  worker.start()
  await pass(500)
  agreeOnTask(network)
  certify(network)
  await pass(2_000)
  assert.deepEqual(
    submitted.map(({ index }) => index),
    [1],
  )
  land('done')
  await pass(500)
  assert.deepEqual(
    submitted.map(({ index }) => index),
    [1, 2],
  )
  worker.stop()
})

test('l1 worker: delivers what it brought; a leaf that L1 refuses is tried again', async () => {
  const { network, entry } = certified()
  const owner = entry.checkpoint.submitters[0] ?? 0
  agreeOnTask(network)
  const second = certify(network)
  vouch(network, [recorded(second, { operator: owner })])
  const { worker, delivered, l1, pass } = setUp(network, owner, network.timeMs)
  l1.executes = (index) => index === 0
  worker.start()
  await pass(1_000)
  assert.deepEqual(delivered.slice(0, 2), [[0, 1], [1]])
  l1.executes = () => true
  await pass(4_000)
  const tries = delivered.length
  await pass(4_000)
  assert.equal(delivered.length, tries)
  worker.stop()
})

test('l1 worker: stopped, it has no timer and starts nothing', async () => {
  const { network, entry } = certified()
  const owner = entry.checkpoint.submitters[0] ?? 0
  const { worker, submitted, clock, pass } = setUp(network, owner, startMsOf(entry) - 100)
  worker.start()
  worker.start()
  assert.equal(clock.waiting, 1)
  worker.stop()
  worker.look()
  await pass(1_000)
  assert.deepEqual([clock.waiting, submitted.length], [0, 0])
})
