import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError, sha256Hex, utf8 } from '#primitives'
import {
  CrashedError,
  createFaultyDisk,
  type FaultyDisk,
} from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { createSchedule } from '../core/index.ts'
import { type BlockStore, createMemoryBlockStore, openFileBlockStore } from './block-store.ts'
import { BlocksPrunedError, recoverTip } from './recovery.ts'
import type { StoredBlock } from './stored-block.ts'
import { createTestNetwork, decided, type TestPeer, testNetwork } from './test-support/network.ts'

const schedule = createSchedule([{ consensusKey: testNetwork, power: 1n }])
const blockAt = (height: number): StoredBlock => ({
  height,
  block: utf8(`block ${height}`),
  commit: { height, round: 0, value: testNetwork, signatures: [] },
  appHash: sha256Hex(utf8(`state ${height}`)),
  validators: schedule.current,
  schedule,
})

/** Files of three blocks each; of the newest, five blocks are kept at least. */
const open = (disk: FaultyDisk, path = 'blocks.log', keptBlocks = 5) =>
  openFileBlockStore(path, testNetwork, silentLogger, disk, { keptBlocks, segmentBlocks: 3 })

async function saveUpTo(store: BlockStore, height: number): Promise<void> {
  while (store.height() < height) await store.save(blockAt(store.height() + 1))
}

/** Every block from the first to the last, or it throws. */
async function requireAll(store: BlockStore): Promise<void> {
  for (let height = store.first(); height <= store.height(); height++)
    assert.deepEqual(await store.load(height), blockAt(height))
  assert.equal(await store.load(store.first() - 1), undefined)
  assert.equal(await store.load(store.height() + 1), undefined)
}

for (const path of ['blocks.log', 'deep/blocks.log'])
  test(`retention: blocks stand in files of their own in ${path}, and the oldest files go`, async () => {
    const disk = createFaultyDisk(1)
    const store = await open(disk, path)
    await saveUpTo(store, 8)
    assert.equal(store.first(), 1)
    await requireAll(store)
    await saveUpTo(store, 20)
    assert.equal(store.first(), 13)
    await requireAll(store)
    await store.close()
    const again = await open(disk.afterPowerCut(), path)
    assert.deepEqual([again.first(), again.height()], [13, 20])
    await saveUpTo(again, 22)
    await requireAll(again)
  })

test('retention: a crash at any step of a change of files loses no block that was saved', async () => {
  for (const when of ['before', 'after'] as const)
    for (const end of ['afterPowerCut', 'afterKill'] as const) {
      let disk = createFaultyDisk(7)
      let saved = 0
      for (let step = 0; saved < 30; step = (step + 3) % 47) {
        disk.crashAt(step, when)
        try {
          const store = await open(disk)
          assert(store.height() >= saved, `height ${store.height()} of ${saved}`)
          assert(store.first() === 1 || store.first() <= store.height() - 4)
          await requireAll(store)
          for (;;) {
            await saveUpTo(store, store.height() + 1)
            saved = store.height()
          }
        } catch (error) {
          if (!(error instanceof CrashedError)) throw error
        }
        disk = disk[end]()
      }
    }
})

test('retention: a full file that is damaged or missing is named', async () => {
  const disk = createFaultyDisk(1)
  await saveUpTo(await open(disk, 'blocks.log', 100), 12)
  const spoilt = disk.copy()
  spoilt.flip('blocks-4-6.log', 150, 1)
  const store = await open(spoilt)
  await assert.rejects(store.load(5), { code: 'CorruptFile', message: /blocks-4-6\.log/ })
  assert.deepEqual(await store.load(8), blockAt(8))
  await store.close()
  const cut = disk.copy()
  await cut.remove('blocks-4-6.log')
  await assert.rejects(open(cut), { code: 'CorruptFile', message: /blocks 4 to 6/ })
})

test('retention: a full file without a beginning is refused, and keeps no other from being closed', async () => {
  const disk = createFaultyDisk(1)
  await saveUpTo(await open(disk, 'blocks.log', 100), 12)
  disk.flip('blocks-4-6.log', 0, 1)
  const store = await open(disk)
  await assert.rejects(store.load(5), DomainError)
  assert.deepEqual(await store.load(8), blockAt(8))
  await store.close()
})

test('retention: an application behind the first block that is kept is told', async () => {
  const disk = createFaultyDisk(1)
  const blockStore = await open(disk)
  await saveUpTo(blockStore, 20)
  const [peer] = createTestNetwork().peers
  const { application } = peer as TestPeer
  const options = { application, blockStore } as unknown as Parameters<typeof recoverTip>[0]
  await assert.rejects(recoverTip(options), BlocksPrunedError)
})

test('retention: a validator behind what its peers keep ends with the reason', async () => {
  const failed = Promise.withResolvers<unknown>()
  const stores = [0, 1, 2, 3].map(() => createMemoryBlockStore())
  const network = createTestNetwork({
    parts: (i) => ({
      onFailure: failed.resolve,
      // Three keep nothing below height 5 any more once they have come to it.
      blockStore: {
        ...(stores[i] as BlockStore),
        first: () => (i < 3 && (stores[i]?.height() ?? 0) >= 5 ? 5 : 1),
      },
    }),
  })
  const others = network.peers.slice(0, 3)
  await Promise.all(others.map(({ engine }) => engine.start()))
  await Promise.all(others.map((peer) => decided(peer, 6)))
  await network.peers[3]?.engine.start()
  const error = await failed.promise
  assert(error instanceof Error && 'code' in error)
  assert.equal(error.code, 'PeersPruned')
  assert.match(error.message, /keep no block 1 any more/)
  await Promise.all(network.peers.map(({ engine }) => engine.stop()))
})
