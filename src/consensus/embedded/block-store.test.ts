import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { createSchedule } from '../core/index.ts'
import { type BlockStore, openFileBlockStore } from './block-store.ts'
import { frame } from './frame.ts'
import { ownerHeader } from './owner.ts'
import { CorruptFileError, WrongFileError } from './record-file.ts'
import type { StoredBlock } from './stored-block.ts'
import { testNetwork } from './test-support/network.ts'

const path = 'blocks.log'
const schedule = createSchedule([{ consensusKey: testNetwork, power: 1n }])

const blockAt = (height: number, text = `block ${height}`): StoredBlock => ({
  height,
  block: utf8(text),
  commit: { height, round: 0, value: sha256Hex(utf8(text)), signatures: [] },
  appHash: sha256Hex(utf8(`state ${height}`)),
  validators: schedule.current,
  schedule,
})

const open = (disk: FaultyDisk, networkId: Hex = testNetwork) =>
  openFileBlockStore(path, networkId, silentLogger, disk)

async function withStore<T>(disk: FaultyDisk, use: (store: BlockStore) => Promise<T>): Promise<T> {
  const store = await open(disk)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}

const save = (disk: FaultyDisk, ...heights: readonly number[]) =>
  withStore(disk, async (store) => {
    for (const height of heights) await store.save(blockAt(height))
  })

const texts = (disk: FaultyDisk) =>
  withStore(disk, async (store) => {
    const loaded: string[] = []
    for (let height = 1; height <= store.height(); height++) {
      const stored = await store.load(height)
      assert.deepEqual(stored, { ...blockAt(height), block: stored?.block })
      loaded.push(Buffer.from(stored?.block ?? []).toString())
    }
    return loaded
  })

test('block store: saved blocks survive a power cut', async () => {
  const disk = createFaultyDisk(1)
  await save(disk, 1, 2)
  const second = disk.afterPowerCut()
  await save(second, 3)
  assert.deepEqual(await texts(second.afterPowerCut()), ['block 1', 'block 2', 'block 3'])
})

test('block store: a block whose saving was cut short is not there, or whole', async () => {
  const seen = new Set<number>()
  for (const [step, when] of [
    [3, 'before'],
    [3, 'after'],
    [4, 'before'],
    [4, 'after'],
  ] as const)
    for (let seed = 1; seed <= 10; seed++) {
      const disk = createFaultyDisk(seed)
      await save(disk, 1)
      disk.crashAt(disk.steps() + step, when)
      await assert.rejects(save(disk, 2))
      const left = await texts(disk.afterPowerCut())
      assert.deepEqual(left, ['block 1', 'block 2'].slice(0, left.length))
      seen.add(left.length)
      if (step === 4 && when === 'after') assert.equal(left.length, 2)
    }
  assert.deepEqual([...seen].sort(), [1, 2])
})

test('block store: cut or flipped anywhere, the blocks before stay, or it is refused', async () => {
  const written = createFaultyDisk(1)
  await save(written, 1, 2, 3)
  const bytes = written.bytes(path) ?? assert.fail()
  let refused = 0
  const outcome = async (content: Uint8Array) => {
    const disk = createFaultyDisk(1)
    disk.put(path, content)
    try {
      const left = await texts(disk)
      assert.deepEqual(left, ['block 1', 'block 2', 'block 3'].slice(0, left.length))
      return left.length
    } catch (error) {
      assert(error instanceof CorruptFileError, String(error))
      assert.match(error.message, /\/faulty\/blocks\.log is damaged.*come from peers/)
      refused++
      return 0
    }
  }
  for (let length = 0, last = 0; length <= bytes.length; length++) {
    const kept = await outcome(bytes.slice(0, length))
    assert(kept >= last && (length < bytes.length || kept === 3), `cut at ${length}`)
    last = kept
  }
  assert.equal(refused, 0)
  for (let offset = 0; offset < bytes.length; offset++) {
    const kept = await outcome(bytes.map((b, i) => (i === offset ? b ^ (1 << (offset % 8)) : b)))
    assert(kept < 3, `flip at ${offset}`)
  }
  assert(refused > 0 && refused < bytes.length / 4)
})

test('block store: a block in the place of another is refused when it is read', async () => {
  const disk = createFaultyDisk(1)
  await save(disk, 1, 2)
  const bytes = disk.bytes(path) ?? assert.fail()
  const mine = { version: 2, networkId: testNetwork, validator: undefined }
  const header = bytes.slice(0, frame(ownerHeader(mine)).length)
  const second = bytes.slice(header.length + (bytes.length - header.length) / 2)
  disk.put(path, Uint8Array.from([...header, ...second, ...second]))
  await withStore(disk, async (store) => {
    await assert.rejects(store.load(1), /has block 2 in place of 1/)
    assert.equal((await store.load(2))?.height, 2)
  })
})

test('block store: a block that rots while the operator runs is refused', async () => {
  const disk = createFaultyDisk(1)
  await save(disk, 1)
  await withStore(disk, async (store) => {
    disk.flip(path, (disk.bytes(path)?.length ?? 0) - 1, 4)
    await assert.rejects(store.load(1), CorruptFileError)
  })
})

test('block store: blocks of another network are refused and stay', async () => {
  const disk = createFaultyDisk(1)
  await save(disk, 1)
  const before = disk.bytes(path)
  await assert.rejects(open(disk, sha256Hex()), WrongFileError)
  assert.deepEqual(disk.bytes(path), before)
})
