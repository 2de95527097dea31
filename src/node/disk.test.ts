import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openRecordFile } from '#consensus'
import { fromUtf8, utf8 } from '#primitives'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { createDisk, DiskDeniedError, DiskFailedError, DiskFullError, diskError } from './disk.ts'

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nodeop disk '))
  try {
    await run(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('disk: what is written at an offset is read there, and no more than there is', () =>
  withFolder(async (folder) => {
    const disk = createDisk(join(folder, 'a', 'b'))
    await disk.makeFolder('')
    const file = await disk.open('file')
    await file.write(0, utf8('0123456789'))
    await file.write(2, utf8('xy'))
    await file.truncate(8)
    await file.sync()
    assert.equal(fromUtf8(await file.read(1, 4)), '1xy4')
    assert.equal(fromUtf8(await file.read(6, 100)), '67')
    assert.equal((await file.read(100, 1)).length, 0)
    assert.equal(await file.size(), 8)
    await file.close()
    assert.equal(await readFile(disk.pathOf('file'), 'utf8'), '01xy4567')
  }))

test('disk: opening again keeps what is there', () =>
  withFolder(async (folder) => {
    const disk = createDisk(folder)
    await writeFile(join(folder, 'file'), 'kept')
    const file = await disk.open('file')
    assert.equal(fromUtf8(await file.read(0, 10)), 'kept')
    await file.close()
  }))

test('disk: names are listed, moved and removed; an absent folder has none', () =>
  withFolder(async (folder) => {
    const disk = createDisk(folder)
    for (const name of ['b', 'a']) await (await disk.open(name)).close()
    assert.deepEqual(await disk.list(''), ['a', 'b'])
    await disk.rename('b', 'c')
    await disk.remove('a')
    await disk.remove('a')
    await disk.syncFolder('')
    assert.deepEqual(await disk.list(''), ['c'])
    assert.deepEqual(await disk.list('absent'), [])
  }))

test('disk: folders and files are for their owner alone', () =>
  withFolder(async (folder) => {
    const disk = createDisk(folder)
    await disk.makeFolder('deep/er')
    await (await disk.open('deep/er/file')).close()
    const modes = await Promise.all(
      ['deep', 'deep/er', 'deep/er/file'].map(async (path) => (await stat(disk.pathOf(path))).mode),
    )
    assert.deepEqual(
      modes.map((mode) => mode & 0o777),
      [0o700, 0o700, 0o600],
    )
  }))

test('disk: a failure names the file', () =>
  withFolder(async (folder) => {
    const disk = createDisk(folder)
    await writeFile(join(folder, 'file'), '')
    await assert.rejects(disk.open('file/below'), (error) => {
      assert(error instanceof DiskFailedError)
      assert.equal(error.details.path, join(folder, 'file', 'below'))
      return true
    })
    await assert.rejects(disk.makeFolder('file'), DiskFailedError)
    await assert.rejects(disk.rename('absent', 'there'), DiskFailedError)
  }))

test('disk: a full disk and a forbidden file have codes of their own, and say what to do', () => {
  const failure = (code: string) =>
    diskError('/data/file', Object.assign(new Error('system'), { code }))
  const full = failure('ENOSPC')
  assert(full instanceof DiskFullError)
  assert.equal(full.message, 'no space left for /data/file: free some, then start again')
  assert(failure('EDQUOT') instanceof DiskFullError)
  for (const code of ['EACCES', 'EPERM', 'EROFS']) {
    const denied = failure(code)
    assert(denied instanceof DiskDeniedError)
    assert.match(denied.message, /^\/data\/file may not be written: /)
  }
  assert(failure('EIO') instanceof DiskFailedError)
})

test(
  'disk: a device that is full is told by its code',
  { skip: !(await isThere('/dev/full')) },
  () =>
    assert.rejects(async () => {
      const file = await createDisk('/dev').open('full')
      await file.write(0, utf8('x')).finally(() => file.close())
    }, DiskFullError),
)

test('disk: a record file on it survives closing', () =>
  withFolder(async (folder) => {
    const records: string[] = []
    const open = () =>
      openRecordFile({
        ...{ disk: createDisk(folder), path: 'file', header: utf8('header'), whose: () => '' },
        ...{ onDamage: 'refuse', remedy: '', logger: silentLogger },
        onRecord: (payload) => void records.push(fromUtf8(payload)),
      })
    const first = await open()
    first.append(utf8('one'))
    await first.sync()
    await first.rewrite(() => [utf8('two')])
    first.append(utf8('three'))
    await first.sync()
    await first.close()
    await (await open()).close()
    assert.deepEqual(records, ['two', 'three'])
  }))

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
