import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rangeRoot } from '#primitives'
import { checkpointOf, duties, nextDueMs } from '#protocol'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { genesisTimeMs, LedgerNetwork } from '../../../test/support/ledger-network.ts'
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
import { checkpointsKept, cutCheckpoint, newestCertified, withCheckpoint } from './checkpoints.ts'
import { jail } from './jailing.ts'

function ready(n = 4) {
  const network = new LedgerNetwork(n, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  agreeOnTask(network)
  return network
}

/** What an operator has to bring to L1. */
const submission = (network: LedgerNetwork) =>
  duties(network.ledger, 1, network.timeMs).find((duty) => duty.kind === 'submit')?.entry.checkpoint

test('checkpoint: it holds the whole outbox, opens a margin from now, and names distinct owners', () => {
  const network = ready(7)
  const { checkpoint, status } = cut(network)
  const { outboxSize: size, outboxPeaks: peaks } = network.ledger.chain
  assert.deepEqual([checkpoint.index, checkpoint.size, status], [1, 1, 'pending'])
  assert.equal(checkpoint.root, rangeRoot({ size, peaks }))
  assert.equal(checkpoint.startS, Math.floor((network.timeMs + 1_000) / 1_000))
  assert.equal(new Set(checkpoint.submitters).size, 4)
})

test('checkpoint: none is cut without new leaves, or before the interval has passed', () => {
  const network = ready()
  assert.equal(nextDueMs(network.ledger), genesisTimeMs + 3_000)
  certify(network)
  assert.equal(nextDueMs(network.ledger), undefined)
  network.block([], 5_000)
  assert.equal(network.ledger.chain.cutIndex, 1)
  agreeOnTask(network)
  assert.equal(network.ledger.chain.cutIndex, 2, 'the interval had passed')
  network.block(shares(network))
  agreeOnTask(network)
  assert.equal(nextDueMs(network.ledger), network.ledger.chain.cutMs + 3_000)
})

test('windows: successors keep those of a certificate that stands, until one lands', () => {
  const network = ready()
  const first = certify(network)
  agreeOnTask(network)
  const second = certify(network)
  assert.deepEqual(
    [second.checkpoint.startS, second.checkpoint.submitters],
    [first.checkpoint.startS, first.checkpoint.submitters],
  )
  assert.equal(submission(network)?.index, 2)
  vouch(network, [recorded(second)])
  agreeOnTask(network)
  assert(certify(network).checkpoint.startS > first.checkpoint.startS)
})

test('windows: those of a checkpoint that was never certified bind nobody', () => {
  const network = ready()
  const first = cut(network)
  agreeOnTask(network)
  for (let i = 0; i < 6; i++) network.block([], 1_000)
  assert.equal(checkpointOf(network.ledger, 1)?.status, 'abandoned')
  const second = newestCheckpoint(network)
  assert.equal(second.checkpoint.index, 2)
  assert(second.checkpoint.startS > first.checkpoint.startS)
  assert.equal(network.ledger.chain.windows?.first, 2)
})

test('windows: a jailed operator owns none', () => {
  const network = ready(7)
  network.ledger = [2, 5, 6].reduce(jail, network.ledger)
  assert.deepEqual(cut(network).checkpoint.submitters.toSorted(), [1, 3, 4, 7])
})

test('checkpoint: old ones are forgotten, but not what delivers or waits for L1', () => {
  const network = ready()
  const landed = certify(network)
  vouch(network, [recorded(landed)])
  agreeOnTask(network)
  const waiting = certify(network)
  const block = { height: 1, timeMs: network.timeMs }
  for (let i = 0; i < checkpointsKept + 10; i++) {
    const cutNow = cutCheckpoint(network.ledger, block)
    const entry = checkpointOf(cutNow, cutNow.chain.cutIndex) ?? assert.fail()
    network.ledger = withCheckpoint(cutNow, { ...entry, status: 'abandoned' })
  }
  const { index } = waiting.checkpoint
  assert.deepEqual(
    [checkpointOf(network.ledger, 1)?.status, checkpointOf(network.ledger, index)?.status],
    ['landed', 'certified'],
  )
  assert.equal(checkpointOf(network.ledger, 5), undefined)
  assert.equal(network.ledger.checkpoints.size, checkpointsKept + 2)
  assert.equal(newestCertified(network.ledger)?.checkpoint.index, index)
  assert.equal(submission(network)?.index, index)
  vouch(network, [recorded(waiting)])
  assert.equal(checkpointOf(network.ledger, 1), undefined, 'no longer needed')
  assert.equal(network.ledger.checkpoints.size, checkpointsKept + 1)
})
