import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Snapshot } from '#consensus'
import { type Disk, fromHex, verifyInclusion } from '#primitives'
import { appHash, type Ledger } from '#protocol'
import { leafHash, networkId } from '#records'
import { committedBlocks } from '../../../test/support/committed-blocks.ts'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import {
  agreeOnTask,
  certify,
  executed,
  publishNonces,
  recorded,
  slowCuts,
  vouch,
} from '../../../test/support/ledger-script.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { type CommittedBlock, LedgerApplication } from '../application.ts'
import { createDisk } from '../disk.ts'
import { openLedgerKeeper } from '../ledger-keeper.ts'
import { Mempool } from '../mempool.ts'
import { openSnapshots } from './operator-snapshots.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop-snapshots-'))
after(() => rmSync(base, { recursive: true }))

/** A network without an L2, with two leaves, one of them executed on L1. */
function lived() {
  const network = new LedgerNetwork(4, { parameters: slowCuts }, idealCrypto)
  network.block(publishNonces(network, 16))
  const first = agreeOnTask(network)
  vouch(network, [recorded(certify(network))])
  vouch(network, [executed(network, first)])
  const second = agreeOnTask(network)
  return { network, second }
}
const { network, second } = lived()
const blocks: readonly CommittedBlock[] = committedBlocks(network)
const height = network.height

/** Content of more than one chunk: what a service may hold in the end. */
const fat = (ledger: Ledger): Ledger => {
  let { states } = ledger
  for (let at = 0; at < 5; at++)
    states = states.set(`text/${at}`, new Uint8Array(1024 * 1024).fill(at))
  return { ...ledger, states }
}

/** One life of an operator on a folder. */
async function open(name: string, changes: { disk?: Disk; keptLeaves?: number } = {}) {
  const folder = join(base, name)
  const own = createDisk(folder)
  await own.makeFolder('')
  const { disk = own, keptLeaves } = changes
  const { genesis, environment } = network
  const logger = silentLogger
  const keeper = await openLedgerKeeper({
    ...{ folder, disk, genesis, environment, operator: 1, logger, keptLeaves },
    hasServices: async () => true,
  })
  const nowMs = () => network.timeMs
  const application = new LedgerApplication({
    ...{ genesis, environment, nowMs, logger, stored: keeper.stored },
    compute: async () => assert.fail('nothing to compute'),
    mempool: new Mempool({ environment, pools: new Map(), nowMs, onDropped: () => {} }),
    keep: () => {},
    prove: () => assert.fail('proposes nothing'),
  })
  const snapshots = await openSnapshots(
    {
      ...{ folder, disk, application, keeper, logger },
      network: networkId(genesis),
      sequencer: undefined,
    },
    { everyBlocks: 0, kept: 2 },
  )
  const close = async () => {
    await snapshots.stop()
    keeper.close()
  }
  return { keeper, application, snapshots, folder, close }
}

/** A snapshot of the network's ledger, made bigger, and who has it. */
async function giver(name: string) {
  const operator = await open(name)
  for (const committed of blocks) operator.keeper.keep(committed, undefined)
  const ledger = fat(network.ledger)
  await operator.snapshots.take(ledger, height)
  const [snapshot = assert.fail()] = operator.snapshots.list()
  const chunks: Uint8Array[] = []
  for (let at = 0; at < snapshot.chunks; at++)
    chunks.push((await operator.snapshots.load(height, 1, at)) ?? assert.fail())
  await operator.close()
  return { snapshot, chunks, hash: appHash(ledger) }
}
const given = await giver('giver')

/** Hands over a whole snapshot; the verdict on its last chunk. */
async function handOver(
  { snapshots }: Awaited<ReturnType<typeof open>>,
  { snapshot, chunks, hash } = given,
) {
  assert.deepEqual(await snapshots.offer(snapshot, hash), { ok: true })
  let last: unknown
  for (const [index, chunk] of chunks.entries()) last = await snapshots.apply(index, chunk)
  return last
}

test('snapshots: whoever begins from one has the same ledger, and proves its leaves', async () => {
  assert(given.snapshot.chunks > 1)
  const operator = await open('joins')
  assert.deepEqual(await handOver(operator), { ok: true })
  assert.deepEqual(await operator.application.info(), { height, appHash: given.hash })
  await operator.close()
  const again = await open('joins')
  assert.deepEqual(await again.application.info(), { height, appHash: given.hash })
  const { ledger } = again.application
  assert.equal(appHash(ledger), given.hash)
  const leaf = again.keeper.outbox.leafOf(second) ?? assert.fail()
  const { root, size } = certified()
  const siblings = again.keeper.outbox.prove(leaf.index, size)
  assert(verifyInclusion(root, size, leaf.index, leafHash(leaf), siblings))
  await again.snapshots.take(ledger, height)
  assert.deepEqual(again.snapshots.list(), [given.snapshot], 'and gives the very same')
  await again.close()
})

/** The root over all leaves. */
function certified() {
  const { outboxSize: size } = network.ledger.chain
  const { root } = certify(network).checkpoint
  return { root, size }
}

test('snapshots: are the same bytes after any number of restarts, whatever else is kept', async () => {
  for (const committed of blocks) {
    const operator = await open('restarts', { keptLeaves: 1_024 })
    operator.keeper.keep(committed, undefined)
    await operator.close()
  }
  const operator = await open('restarts', { keptLeaves: 1_024 })
  await operator.snapshots.take(fat(operator.application.ledger), height)
  assert.deepEqual(operator.snapshots.list(), [given.snapshot])
  await operator.close()
})

test('snapshots: a changed chunk is asked for again, and the right one still counts', async () => {
  const operator = await open('corrupted')
  const { snapshots } = operator
  assert.deepEqual(await snapshots.offer(given.snapshot, given.hash), { ok: true })
  const [first = assert.fail(), ...others] = given.chunks
  for (const wrong of [first.with(7, 200), first.subarray(1), new Uint8Array(0)]) {
    const verdict = await snapshots.apply(0, wrong)
    assert.equal(!verdict.ok && verdict.reason, 'BadSnapshotChunk')
  }
  assert.deepEqual(await snapshots.apply(0, first), { ok: true })
  for (const [at, chunk] of others.entries())
    assert.deepEqual(await snapshots.apply(at + 1, chunk), { ok: true })
  assert.equal((await operator.application.info()).appHash, given.hash)
  await operator.close()
})

test('snapshots: one that is not of the trusted hash leaves nothing behind', async () => {
  const operator = await open('wrong hash')
  const before = await operator.application.info()
  const verdict = await handOver(operator, { ...given, hash: `0x${'ab'.repeat(32)}` })
  assert.deepEqual(verdict, {
    ok: false,
    reason: 'BadSnapshot',
    detail: `app hash ${given.hash} instead of 0x${'ab'.repeat(32)}`,
  })
  assert.deepEqual(await operator.application.info(), before)
  assert.deepEqual(readdirSync(join(operator.folder, 'snapshots')), [])
  await operator.close()
  const again = await open('wrong hash')
  assert.deepEqual(await again.application.info(), before)
  assert.deepEqual(await handOver(again), { ok: true }, 'and the right one is taken up')
  await again.close()
})

test('snapshots: metadata that contradict themselves are refused before any chunk', async () => {
  const { snapshots, close } = await open('refuses')
  const { snapshot, hash } = given
  const offered = async (changes: Partial<Snapshot>) => {
    const verdict = await snapshots.offer({ ...snapshot, ...changes }, hash)
    return verdict.ok || verdict.reason
  }
  assert.equal(await offered({ format: 2 }), 'SnapshotFormat')
  assert.equal(await offered({ height: height + 1 }), 'BadSnapshot')
  assert.equal(await offered({ chunks: 1 }), 'BadSnapshot')
  assert.equal(await offered({ hash: `0x${'00'.repeat(32)}` }), 'BadSnapshot')
  assert.equal(await offered({ metadata: fromHex(hash) }), 'BadSnapshot')
  const verdict = await snapshots.apply(0, given.chunks[0] ?? assert.fail())
  assert.equal(!verdict.ok && verdict.reason, 'NoSnapshotOffered')
  await close()
})

test('snapshots: a crash between two chunks, or in the last commit, is as if none had come', async () => {
  const first = await open('crashes')
  const before = await first.application.info()
  await first.snapshots.offer(given.snapshot, given.hash)
  await first.snapshots.apply(0, given.chunks[0] ?? assert.fail())
  await first.close()
  const disk = createDisk(first.folder)
  const commit: Disk['commit'] = () => {
    throw new Error('power cut')
  }
  const cut = await open('crashes', { disk: { ...disk, commit } }).catch(() => undefined)
  if (cut) {
    await assert.rejects(handOver(cut), /power cut/)
    assert.deepEqual(await cut.application.info(), before)
    await cut.close()
  }
  const last = await open('crashes')
  assert.deepEqual(readdirSync(join(last.folder, 'snapshots')), [])
  assert.deepEqual(await last.application.info(), before)
  assert.deepEqual(await handOver(last), { ok: true })
  await last.close()
})

test('snapshots: the newest are kept, and as many that somebody is fetching', async () => {
  const { snapshots, close } = await open('keeps')
  const { ledger } = network
  const heights = () => snapshots.list().map((one) => one.height)
  for (const at of [1, 2, 3]) await snapshots.take(ledger, at)
  assert.deepEqual(heights(), [3, 2])
  for (const at of [3, 2]) assert((await snapshots.load(at, 1, 0)) !== undefined)
  await snapshots.take(ledger, 4)
  assert.deepEqual(heights(), [4, 3, 2])
  for (const at of [4, 3, 2]) assert((await snapshots.load(at, 1, 0)) !== undefined)
  for (const at of [5, 6]) await snapshots.take(ledger, at)
  assert.deepEqual(heights(), [6, 5], 'nobody has asked since')
  await close()
})

test('snapshots: an operator that has followed blocks begins from none', async () => {
  const restored = await open('in use')
  assert.deepEqual(await handOver(restored), { ok: true })
  assert.deepEqual(await handOver(restored), { ok: true }, 'CometBFT was killed before it knew')
  await restored.close()
  const follower = await open('follows')
  for (const committed of blocks) follower.keeper.keep(committed, undefined)
  await follower.close()
  const again = await open('follows')
  const verdict = await again.snapshots.offer(given.snapshot, given.hash)
  assert.equal(!verdict.ok && verdict.reason, 'LedgerInUse')
  await again.close()
})
