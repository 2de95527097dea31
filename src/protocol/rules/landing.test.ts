import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkpointOf, duties } from '#protocol'
import type { CheckpointRecorded } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  cut,
  newestCheckpoint,
  publishNonces,
  recorded,
  shares,
  slowCuts,
  vouch,
} from '../../../test/support/ledger-script.ts'

function ready() {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  agreeOnTask(network)
  return network
}

/** Two checkpoints of which none has landed. */
function withTwo() {
  const network = ready()
  const first = certify(network)
  agreeOnTask(network)
  return { network, first, second: certify(network) }
}

const missesOf = (network: LedgerNetwork, ids: readonly number[]) =>
  ids.map((id) => network.operator(id)?.missedWindows)
const hasSubmission = ({ ledger, timeMs }: LedgerNetwork) =>
  duties(ledger, 1, timeMs).some(({ kind }) => kind === 'submit')

test('landing: the record says where and by whom, and nobody has to submit it any more', () => {
  const network = ready()
  const entry = certify(network)
  assert(hasSubmission(network))
  vouch(network, [recorded(entry)])
  const landed = checkpointOf(network.ledger, 1)
  assert.deepEqual(
    [landed?.status, landed?.recorded?.operator],
    ['landed', entry.checkpoint.submitters[0]],
  )
  assert(!hasSubmission(network))
  assert.equal(network.ledger.chain.windows, undefined)
  assert.deepEqual(missesOf(network, entry.checkpoint.submitters), [0, 0, 0, 0])
})

test('landing: owners of windows that passed with a certificate standing have missed them', () => {
  const network = ready()
  const entry = certify(network)
  vouch(network, [recorded(entry, { window: 2 })])
  assert.deepEqual(missesOf(network, entry.checkpoint.submitters), [1, 1, 0, 0])
})

test('landing: by fallback, long after all windows, every owner has missed one', () => {
  const network = ready()
  const entry = certify(network)
  vouch(network, [recorded(entry, { window: 255, operator: 0 })])
  assert.deepEqual(missesOf(network, entry.checkpoint.submitters), [1, 1, 1, 1])
})

test('landing: who had no certificate in time has missed nothing', () => {
  const network = ready()
  cut(network)
  network.block([], 1_400)
  network.block(shares(network), 5_000)
  const entry = checkpointOf(network.ledger, 1) ?? assert.fail()
  assert.equal(entry.status, 'certified')
  vouch(network, [recorded(entry, { window: 3 })])
  assert.deepEqual(missesOf(network, entry.checkpoint.submitters), [0, 1, 1, 0])
})

test('landing: a newer checkpoint lands all older ones, and their windows count once', () => {
  const { network, first, second } = withTwo()
  vouch(network, [recorded(second, { window: 1 })])
  assert.deepEqual(
    [1, 2].map((index) => checkpointOf(network.ledger, index)?.status),
    ['landed', 'landed'],
  )
  assert.equal(checkpointOf(network.ledger, 1)?.recorded, undefined)
  assert.deepEqual(missesOf(network, first.checkpoint.submitters), [1, 0, 0, 0])
})

test('landing: an older index after a newer one, or the same again, changes nothing', () => {
  const { network, first, second } = withTwo()
  vouch(network, [recorded(second, { window: 1 })])
  const { operators, checkpoints, chain } = network.ledger
  vouch(network, [recorded(first, { window: 4 }), recorded(second, { window: 4 })])
  assert.deepEqual(missesOf(network, first.checkpoint.submitters), [1, 0, 0, 0])
  assert.equal(network.ledger.checkpoints, checkpoints)
  assert.deepEqual(network.ledger.chain.landed, chain.landed)
  assert.equal(network.ledger.operators.size, operators.size)
})

test('landing: shares travel openly, so that L1 can be ahead of the ledger', () => {
  const network = ready()
  const pending = cut(network)
  vouch(network, [recorded(pending)])
  assert.equal(network.ledger.sessions.size, 0, 'nobody signs what has landed')
  assert.equal(checkpointOf(network.ledger, 1)?.status, 'landed')
  for (let i = 0; i < 4; i++) network.block([], 2_000)
  assert.equal(network.ledger.chain.cutIndex, 1)
  assert(!hasSubmission(network))
})

test('landing: what was given up can still come to L1, and nobody certifies its leaves again', () => {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 1))
  agreeOnTask(network)
  const given = cut(network)
  for (let i = 0; i < 4; i++) network.block([], 2_000)
  assert.equal(checkpointOf(network.ledger, 1)?.status, 'abandoned')
  vouch(network, [recorded(given, { window: 2 })])
  const landed = checkpointOf(network.ledger, 1)
  assert.deepEqual([landed?.status, landed?.recorded?.window], ['landed', 2])
  assert.deepEqual(missesOf(network, given.checkpoint.submitters), [0, 0, 0, 0])
  network.block(publishNonces(network))
  for (let i = 0; i < 4; i++) network.block([], 2_000)
  assert.equal(network.ledger.chain.cutIndex, 1)
})

test('landing: an older checkpoint that was given up stays so when a newer one lands', () => {
  const network = ready()
  cut(network)
  agreeOnTask(network)
  for (let i = 0; i < 6; i++) network.block([], 1_000)
  const newer = newestCheckpoint(network)
  assert.equal(newer.checkpoint.index, 2)
  vouch(network, [recorded(newer)])
  assert.deepEqual(
    [1, 2].map((index) => checkpointOf(network.ledger, index)?.status),
    ['abandoned', 'landed'],
  )
})

test('landing: an index that nobody ever cut, however high, stops nothing', () => {
  const network = ready()
  const entry = certify(network)
  const strange = { index: Number.MAX_SAFE_INTEGER, size: Number.MAX_SAFE_INTEGER }
  vouch(network, [recorded(entry, strange)])
  agreeOnTask(network)
  cut(network)
  assert.equal(network.ledger.chain.cutIndex, 2)
})

test('landing: in whatever order L1 is reported, what has landed never goes back', () => {
  const { network, first, second } = withTwo()
  const { ledger } = network
  const event = fc
    .record({
      entry: fc.constantFrom(first, second),
      index: fc.constantFrom<Partial<CheckpointRecorded>>({}, { index: 0 }, { index: 9 }),
      window: fc.nat(255),
      operator: fc.nat(9),
    })
    .map(({ entry, index, window, operator }) => recorded(entry, { ...index, window, operator }))
  fc.assert(
    fc.property(fc.array(event, { minLength: 1, maxLength: 6 }), (events) => {
      network.ledger = ledger
      let { index } = ledger.chain.landed
      for (const one of events) {
        vouch(network, [one])
        index = Math.max(index, one.index)
        assert.equal(network.ledger.chain.landed.index, index)
      }
      assert(missesOf(network, [1, 2, 3, 4]).every((misses) => (misses ?? 9) <= 1))
    }),
    { numRuns: 25 },
  )
})
