import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, fromUtf8, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../../test/support/faulty-disk.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { crc32c } from './crc32c.ts'
import { frame, frameHeadBytes } from './frame.ts'
import {
  CorruptFileError,
  openRecordFile,
  type RecordFile,
  type RecordFilePlan,
  WrongFileError,
} from './record-file.ts'

type Change = Partial<Pick<RecordFilePlan, 'header' | 'onDamage' | 'onRecord'>>

const path = 'deep/file'

const planOf = (disk: FaultyDisk, change: Change = {}): RecordFilePlan => ({
  ...{ disk, path, header: utf8('header'), onDamage: 'keep-prefix', logger: silentLogger },
  ...{ whose: (found) => `belongs to ${fromUtf8(found)}`, remedy: 'do this', onRecord: () => {} },
  ...change,
})

/** Opens, hands out what is in it, and closes afterwards. */
async function opened<T>(
  disk: FaultyDisk,
  use: (file: RecordFile, records: readonly string[]) => Promise<T>,
  change: Change = {},
): Promise<T> {
  const records: string[] = []
  const onRecord = (payload: Uint8Array) => void records.push(fromUtf8(payload))
  const file = await openRecordFile(planOf(disk, { onRecord, ...change }))
  try {
    return await use(file, records)
  } finally {
    await file.close()
  }
}

const write = (disk: FaultyDisk, ...payloads: readonly string[]) =>
  opened(disk, async (file) => {
    const offsets = payloads.map((payload) => file.append(utf8(payload)))
    await file.sync()
    return offsets
  })

const contents = (disk: FaultyDisk, change: Change = {}) =>
  opened(disk, (_, records) => Promise.resolve(records), change)

/** A disk that holds these records, and the file's bytes. */
async function diskWith(...payloads: readonly string[]) {
  const disk = createFaultyDisk(1)
  await write(disk, ...payloads)
  return { disk, whole: disk.bytes(path) ?? assert.fail() }
}

/** A disk with only this file. */
function diskOf(bytes: Uint8Array): FaultyDisk {
  const disk = createFaultyDisk(1)
  disk.put(path, bytes)
  return disk
}

const flipped = (bytes: Uint8Array, offset: number, bit: number): Uint8Array =>
  bytes.map((byte, i) => (i === offset ? byte ^ (1 << bit) : byte))

test('crc32c: the check value of its definition', () => {
  assert.equal(crc32c(utf8('123456789')), 0xe3069283)
})

test('record file: what was synced survives a power cut, in order and by offset', async () => {
  const disk = createFaultyDisk(1)
  const offsets = await write(disk, 'one', 'two')
  await write(disk, 'three')
  const later = disk.afterPowerCut()
  assert.deepEqual(await contents(later), ['one', 'two', 'three'])
  const two = await opened(later, (file) => file.read(offsets[1] ?? 0))
  assert.equal(fromUtf8(two), 'two')
})

test('record file: what was not synced is not there', async () => {
  const disk = createFaultyDisk(1)
  await opened(disk, (file) => Promise.resolve(file.append(utf8('lost'))))
  assert.deepEqual(await contents(disk), [])
})

test('record file: syncs that overlap each wait for their own record', async () => {
  const disk = createFaultyDisk(1)
  await opened(disk, async (file) => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    disk.onSync(() => held)
    const done: string[] = []
    file.append(utf8('one'))
    const first = file.sync().then(() => done.push('one'))
    file.append(utf8('two'))
    const second = file.sync().then(() => done.push('two'))
    assert.deepEqual(done, [])
    release()
    await Promise.all([first, second])
  })
  assert.deepEqual(await contents(disk.afterPowerCut()), ['one', 'two'])
})

test('record file: cut anywhere, the whole records before the cut stay', async () => {
  const { whole } = await diskWith('one', 'two', 'three')
  const ends = endsOf('header', 'one', 'two', 'three')
  for (let length = 0; length <= whole.length; length++) {
    const disk = diskOf(whole.slice(0, length))
    const kept = ends.filter((end) => end <= length)
    const expected = ['one', 'two', 'three'].slice(0, Math.max(0, kept.length - 1))
    assert.deepEqual(await contents(disk), expected, `cut at ${length}`)
    const rest = whole.slice(kept.at(-1) ?? 0, length)
    assert.deepEqual(disk.bytes(`${path}.bad`) ?? new Uint8Array(0), rest, `cut at ${length}`)
    await write(disk, 'four')
    assert.deepEqual(await contents(disk.afterPowerCut()), [...expected, 'four'])
  }
})

test('record file: any bit flipped, the records before it stay, or the file is refused', async () => {
  const { whole } = await diskWith('one', 'two', 'three')
  const ends = endsOf('header', 'one', 'two', 'three')
  for (let offset = 0; offset < whole.length; offset++)
    for (let bit = 0; bit < 8; bit++) {
      const bad = flipped(whole, offset, bit)
      const disk = diskOf(bad)
      const place = `bit ${bit} of byte ${offset}`
      const kept = ends.filter((end) => end <= offset)
      if (kept.length === 0) {
        await assert.rejects(contents(disk), isRefusal, place)
        assert.deepEqual(disk.bytes(path), bad, place)
        continue
      }
      const good = ['one', 'two', 'three'].slice(0, kept.length - 1)
      assert.deepEqual(await contents(disk), good, place)
      assert.deepEqual(disk.bytes(`${path}.bad`), bad.slice(kept.at(-1)), place)
    }
})

test('record file: where damage is refused, only a last record without its end is let go', async () => {
  const { whole } = await diskWith('one', 'two')
  const ends = endsOf('header', 'one', 'two')
  const refuse = { onDamage: 'refuse' } as const
  for (let offset = 0; offset < whole.length; offset++)
    for (let bit = 0; bit < 8; bit++) {
      const bad = flipped(whole, offset, bit)
      const disk = diskOf(bad)
      await assert.rejects(contents(disk, refuse), isRefusal, `bit ${bit} of byte ${offset}`)
      assert.deepEqual(disk.bytes(path), bad)
    }
  for (let length = 0; length <= whole.length; length++) {
    const disk = diskOf(whole.slice(0, length))
    const kept = ends.filter((end) => end <= length).length
    if (kept === 0) await assert.rejects(contents(disk, refuse), isRefusal, `cut at ${length}`)
    else assert.deepEqual(await contents(disk, refuse), ['one', 'two'].slice(0, kept - 1))
  }
})

test('record file: a second bad end is kept beside the first', async () => {
  const { disk, whole } = await diskWith('one')
  for (const copy of ['.bad', '.bad.2', '.bad.3']) {
    disk.put(path, concatBytes(whole, utf8(copy)))
    assert.deepEqual(await contents(disk), ['one'])
  }
  for (const copy of ['.bad', '.bad.2', '.bad.3'])
    assert.deepEqual(disk.bytes(path + copy), Uint8Array.from(utf8(copy)))
})

test('record file: what a killed process left unsynced is safe once it was read', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const disk = createFaultyDisk(seed)
    await write(disk, 'one')
    disk.crashAt(disk.steps() + 4, 'before') // the write is done, its sync is not
    await assert.rejects(write(disk, 'two'))
    const restarted = disk.afterKill()
    const read = await contents(restarted)
    assert.deepEqual(read, ['one', 'two'], disk.trace.join(', '))
    assert.deepEqual(await contents(restarted.afterPowerCut()), read)
  }
})

test('record file: a rewrite that is cut short leaves the old records or the new ones', async () => {
  const seen = new Set<string>()
  const { disk: first } = await diskWith('one', 'two')
  const steps = await stepsOf(first.copy())
  for (let step = 0; step < steps; step++)
    for (const when of ['before', 'after'] as const)
      for (let seed = 1; seed <= 10; seed++) {
        const disk = createFaultyDisk(seed)
        await write(disk, 'one', 'two')
        disk.crashAt(disk.steps() + step, when)
        await rewritten(disk).catch(() => {})
        const left = (await contents(disk.afterPowerCut())).join(' ')
        assert(['one two', 'one two three', 'all'].includes(left), left)
        seen.add(left)
      }
  assert.deepEqual([...seen].sort(), ['all', 'one two', 'one two three'])

  async function stepsOf(disk: FaultyDisk) {
    const before = disk.steps()
    await rewritten(disk)
    return disk.steps() - before
  }
})

test('record file: a rewrite stands for all that was appended before its turn', async () => {
  const { disk } = await diskWith('one')
  await rewritten(disk)
  await write(disk, 'four')
  assert.deepEqual(await contents(disk.afterPowerCut()), ['all', 'four'])
})

test('record file: once the disk is full nothing more is written, and the rest stays', async () => {
  const { disk } = await diskWith('one')
  await opened(disk, async (file) => {
    disk.fillAfter(5)
    file.append(utf8('two'))
    await assert.rejects(file.sync(), { code: 'DiskFull' })
    disk.fillAfter(1000)
    file.append(utf8('three'))
    await assert.rejects(file.sync(), { code: 'DiskFull' })
  })
  assert.deepEqual(await contents(disk), ['one'])
})

test('record file: another owner is refused by name and loses nothing', async () => {
  const { disk, whole } = await diskWith('one')
  await assert.rejects(contents(disk, { header: utf8('other') }), (error) => {
    assert(error instanceof WrongFileError)
    assert.match(error.message, /faulty\/deep\/file belongs to header/)
    return true
  })
  assert.deepEqual(disk.bytes(path), whole)
})

test('record file: a record that rots after it was opened is refused when it is read', async () => {
  const { disk } = await diskWith('one')
  const offset = frame(utf8('header')).length
  await opened(disk, async (file) => {
    assert.equal(fromUtf8(await file.read(offset)), 'one')
    disk.flip(path, offset + frameHeadBytes, 1)
    await assert.rejects(file.read(offset), isRefusal)
  })
})

/** Where each record of a file ends. */
const endsOf = (...payloads: readonly string[]): readonly number[] =>
  payloads.map((_, i) =>
    payloads.slice(0, i + 1).reduce((sum, one) => sum + frame(utf8(one)).length, 0),
  )

/** Replaces what is there by `all`, with a record under way. */
const rewritten = (disk: FaultyDisk) =>
  opened(disk, async (file) => {
    file.append(utf8('three'))
    await Promise.all([file.sync(), file.rewrite(() => [utf8('all')])])
  })

/** The file by name, and what to do. */
const isRefusal = (error: unknown): boolean =>
  error instanceof CorruptFileError &&
  /\/faulty\/deep\/file is damaged at byte \d+: do this/.test(error.message)
