import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '#primitives'
import { appHash } from '#protocol'
import { type DecidedBlock, encodeTransaction, tryDecodeTransaction } from '#records'
import { committedBlocks } from '../../test/support/committed-blocks.ts'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { genesisTimeMs, LedgerNetwork } from '../../test/support/ledger-network.ts'
import { agreeOnTask, publishNonces } from '../../test/support/ledger-script.ts'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { testComputations } from '../../test/support/test-services.ts'
import { type CommittedBlock, LedgerApplication } from './application.ts'
import { Mempool } from './mempool.ts'

const garbage = new Uint8Array([1, 2, 3])

/** The application of the operator that proposes first. */
function applicationOf(network: LedgerNetwork): LedgerApplication {
  const { genesis, environment, operators } = network
  const nowMs = () => network.timeMs
  return new LedgerApplication({
    ...{ genesis, environment, nowMs, logger: silentLogger },
    compute: async ({ service, input }) => testComputations[service]?.(input) ?? assert.fail(),
    mempool: new Mempool({ environment, pools: new Map(), nowMs, onDropped: () => {} }),
    keep: () => {},
    prove: (alpha) => idealCrypto.proveRandomness(operators[0]?.vrfSecret ?? assert.fail(), alpha),
  })
}

const networkOf4 = () => new LedgerNetwork(4, {}, idealCrypto)

/** The first block of a network, by its first proposer. */
const firstBlock = (network: LedgerNetwork, transactions: readonly Uint8Array[]): DecidedBlock => ({
  height: 1,
  timeMs: genesisTimeMs + 200,
  proposer: network.operators[0]?.consensusKey ?? '0x',
  transactions,
  misbehaviour: [],
  hash: '0x01',
})

async function decide(application: LedgerApplication, block: DecidedBlock) {
  const executed = await application.finalizeBlock(block)
  await application.commit()
  return executed
}

test('application: the app hash after every block is that of the ledger alone', async () => {
  const network = networkOf4()
  network.block(publishNonces(network))
  network.block([{ kind: 'call', service: 'tally', payload: new Uint8Array([5]) }])
  agreeOnTask(network)
  const application = applicationOf(network)
  const told: CommittedBlock[] = []
  application.onCommitted((committed) => told.push(committed))
  const expected = committedBlocks(network).map(({ after }) => appHash(after))
  const hashes: Hex[] = []
  for (const block of network.blocks) hashes.push((await decide(application, block)).appHash)
  assert.deepEqual(hashes, expected)
  assert.deepEqual(await application.info(), {
    height: network.height,
    appHash: appHash(network.ledger),
  })
  assert.deepEqual(
    told.map(({ block, appHash: hash }) => [block.height, hash]),
    expected.map((hash, place) => [place + 1, hash]),
  )
})

test('application: a decided block of nothing but invalid transactions changes nothing', async () => {
  const network = networkOf4()
  const application = applicationOf(network)
  const before = await application.info()
  const forged = { ...network.report(1, []), signature: network.report(2, []).signature }
  const foreign = network.report(1, [], { network: `0x${'09'.repeat(32)}` })
  const transactions = [garbage, encodeTransaction(forged), encodeTransaction(foreign)]
  const { appHash: hash, results } = await decide(application, firstBlock(network, transactions))
  assert.deepEqual(
    results.map((result) => !result.ok && result.reason),
    ['BadEncoding', 'BadSignature', 'WrongNetwork'],
  )
  assert.deepEqual([hash, application.height], [before.appHash, 1])
})

test('application: proposes nothing without work, and randomness before all else with it', async () => {
  const network = networkOf4()
  const application = applicationOf(network)
  const terms = { height: 1, timeMs: genesisTimeMs + 200, maxBytes: 100_000 }
  assert.deepEqual(await application.prepareProposal(terms), [])
  assert.deepEqual(await application.checkTransaction(garbage), {
    ok: false,
    reason: 'BadEncoding',
  })
  const task = encodeTransaction(network.task())
  assert.deepEqual(await application.checkTransaction(task), { ok: true })
  assert.equal(application.workDueMs(), 0)
  const wanted = await application.prepareProposal(terms)
  const kinds = wanted.map((bytes) => tryDecodeTransaction(bytes)?.kind)
  assert.deepEqual(kinds, ['randomness', 'task'])
  const block = firstBlock(network, wanted)
  assert.deepEqual(await application.processProposal(block), { ok: true })
  const spoiled = { ...block, transactions: [...wanted, garbage] }
  const refused = { ok: false, reason: 'BadEncoding' }
  assert.deepEqual(await application.processProposal(spoiled), refused)
  const { results } = await decide(application, block)
  assert(results.every(({ ok }) => ok))
  const next = await application.prepareProposal({ ...terms, height: 2 })
  assert.equal(next.length, 1, 'the task waits no more, its draw is due')
})

test('application: a listener that fails keeps neither the block nor the others from it', async () => {
  const network = networkOf4()
  const application = applicationOf(network)
  const told: number[] = []
  application.onCommitted(() => {
    throw new Error('defect')
  })
  application.onCommitted(({ block }) => told.push(block.height))
  await decide(application, firstBlock(network, []))
  assert.deepEqual([told, application.height], [[1], 1])
})

test('application: a block out of order is a defect, not a refusal', async () => {
  const network = networkOf4()
  const application = applicationOf(network)
  const block = { ...firstBlock(network, []), height: 2 }
  await assert.rejects(application.finalizeBlock(block), /block 2 follows 0/)
  await assert.rejects(application.commit(), /commit follows finalizeBlock/)
})
