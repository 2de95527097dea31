import assert from 'node:assert/strict'
import { readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { utf8 } from '#primitives'
import { crc32c } from './crc32c.ts'
import { silentLogger, testNetwork, withFolder } from './fixture.ts'
import { openFileLog } from './log.ts'
import { openRecordFile, type RecordFile, WrongFileError } from './record-file.ts'

const header = utf8('header')

/** Opens, hands out what is in it, and closes afterwards. */
async function opened<T>(
  path: string,
  use: (file: RecordFile, records: readonly string[]) => Promise<T>,
): Promise<T> {
  const records: string[] = []
  const file = await openRecordFile(path, header, silentLogger, (payload) => {
    records.push(Buffer.from(payload).toString())
  })
  try {
    return await use(file, records)
  } finally {
    await file.close()
  }
}

const write = (path: string, ...payloads: readonly string[]) =>
  opened(path, async (file) => {
    const offsets = payloads.map((payload) => file.append(utf8(payload)))
    await file.sync()
    return offsets
  })
const contents = (path: string) => opened(path, (_, records) => Promise.resolve(records))

test('crc32c: the check value of its definition', () => {
  assert.equal(crc32c(utf8('123456789')), 0xe3069283)
})

test('record file: what was synced is read back, in order and by offset', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'deep', 'file')
    const offsets = await write(path, 'one', 'two')
    await write(path, 'three')
    assert.deepEqual(await contents(path), ['one', 'two', 'three'])
    const two = await opened(path, (file) => file.read(offsets[1] ?? 0))
    assert.deepEqual(Buffer.from(two).toString(), 'two')
  }))

test('record file: what was not synced is not there', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'file')
    await opened(path, (file) => Promise.resolve(file.append(utf8('lost'))))
    assert.deepEqual(await contents(path), [])
  }))

test('record file: cut or flipped anywhere, the good prefix stays and the rest is set aside', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'file')
    const [, second] = await write(path, 'one', 'two', 'three')
    const whole = await readFile(path)
    const from = second ?? 0
    for (let cut = from + 1; cut < from + 8 + 3; cut++) {
      await writeFile(path, whole)
      await truncate(path, cut)
      assert.deepEqual(await contents(path), ['one'], `cut at ${cut}`)
      assert.equal((await stat(path)).size, from)
      assert.deepEqual(await readFile(`${path}.bad`), whole.subarray(from, cut))
    }
    for (let flip = from; flip < from + 8 + 3; flip++) {
      const bad = Buffer.from(whole)
      bad[flip] = (bad[flip] ?? 0) ^ 4
      await writeFile(path, bad)
      assert.deepEqual(await contents(path), ['one'], `flip at ${flip}`)
      assert.deepEqual(await readFile(`${path}.bad`), bad.subarray(from))
    }
    await write(path, 'four')
    assert.deepEqual(await contents(path), ['one', 'four'])
  }))

test('record file: another owner is refused and loses nothing', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'file')
    await write(path, 'one')
    const before = await readFile(path)
    await assert.rejects(
      openRecordFile(path, utf8('other'), silentLogger, () => {}),
      WrongFileError,
    )
    assert.deepEqual(await readFile(path), before)
  }))

test('record file: clear keeps only whose it is', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'file')
    await write(path, 'one')
    await opened(path, (file) => file.clear())
    assert.deepEqual(await contents(path), [])
    await write(path, 'two')
    assert.deepEqual(await contents(path), ['two'])
  }))

test('log: records after the last end of height come back, those before do not', () =>
  withFolder(async (folder) => {
    const path = join(folder, 'log')
    const owner = { networkId: testNetwork, validator: testNetwork }
    const timeout = { step: 'propose', height: 2, round: 3 } as const
    const first = await openFileLog(path, owner, silentLogger)
    first.append({ kind: 'timeout', timeout: { ...timeout, height: 1 } })
    await first.sync()
    await first.endHeight(1)
    first.append({ kind: 'timeout', timeout })
    first.append({
      kind: 'validity',
      height: 2,
      round: 0,
      value: testNetwork,
      validity: 'untimely',
    })
    await first.sync()
    await first.close()
    const second = await openFileLog(path, owner, silentLogger)
    assert.deepEqual(second.replay(), [
      { kind: 'timeout', timeout },
      { kind: 'validity', height: 2, round: 0, value: testNetwork, validity: 'untimely' },
    ])
    await second.close()
    const other = { ...owner, validator: `0x${'11'.repeat(32)}` } as const
    await assert.rejects(openFileLog(path, other, silentLogger), WrongFileError)
  }))
