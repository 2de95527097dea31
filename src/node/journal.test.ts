import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { createFaultyDisk, type FaultyDisk } from '../../test/support/faulty-disk.ts'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { type Fate, type Journal, journalFile, openJournal } from './journal.ts'

const idOf = (name: string): Hex => sha256Hex(utf8(name))
const owner = { networkId: idOf('network'), validator: idOf('operator') }
const open = (disk: FaultyDisk, tidyBytes = 1) =>
  openJournal({ disk, owner, logger: silentLogger, tidyBytes })
const names = (journal: Journal) =>
  [...journal.accepted().values()].map((bytes) => Buffer.from(bytes).toString())
const accept = (journal: Journal, name: string) => journal.accept(idOf(name), utf8(name))

test('journal: what was accepted is there after a power cut, in its order and once', async () => {
  const disk = createFaultyDisk(1)
  const journal = await open(disk)
  await Promise.all(['a', 'b', 'a', 'c'].map((name) => accept(journal, name)))
  void accept(journal, 'never promised').catch(() => {})
  assert.deepEqual(names(await open(disk.afterPowerCut())).slice(0, 3), ['a', 'b', 'c'])
})

test('journal: tidying keeps what waits and why others ended, and forgets what blocks hold', async () => {
  const disk = createFaultyDisk(2)
  const journal = await open(disk)
  for (const name of ['waiting', 'included', 'evicted']) await accept(journal, name)
  const before = await disk.open(journalFile).then((file) => file.size())
  const fates = new Map<Hex, Fate>([
    [idOf('waiting'), 'waits'],
    [idOf('included'), 'included'],
    [idOf('evicted'), { id: idOf('evicted'), isTask: false, reason: 'Evicted' }],
  ])
  await journal.tidy((id) => fates.get(id) ?? 'included')
  const again = await open(disk.afterPowerCut())
  assert.deepEqual(names(again), ['waiting'])
  assert.equal(again.endings().get(idOf('evicted'))?.reason, 'Evicted')
  assert((await disk.open(journalFile).then((file) => file.size())) < before)
})

test('journal: many short processes together make it long enough to be tidied', async () => {
  let disk = createFaultyDisk(6)
  for (const name of ['a', 'b', 'c', 'd']) {
    const journal = await open(disk, 400)
    await accept(journal, name.repeat(100))
    await journal.tidy(() => 'included')
    disk = disk.afterKill()
  }
  assert.deepEqual(
    names(await open(disk)).map((name) => name[0]),
    ['d'],
  )
})

test('journal: one that ended and is accepted again is promised again', async () => {
  const disk = createFaultyDisk(3)
  const journal = await open(disk)
  await accept(journal, 'a')
  journal.end({ id: idOf('a'), isTask: true, reason: 'Expired' })
  assert.deepEqual(names(journal), [])
  await accept(journal, 'a')
  const again = await open(disk.afterPowerCut())
  assert.deepEqual([names(again), again.endings().size], [['a'], 0])
})

test('journal: a failed sync promises nothing', async () => {
  const disk = createFaultyDisk(4)
  const journal = await open(disk)
  await accept(journal, 'a')
  await journal.close()
  await assert.rejects(accept(journal, 'b'))
  assert.deepEqual(names(await open(disk.afterPowerCut())), ['a'])
})

test("journal: another operator's is refused", async () => {
  const disk = createFaultyDisk(5)
  await (await open(disk)).close()
  const other = { ...owner, validator: idOf('other') }
  await assert.rejects(openJournal({ disk, owner: other, logger: silentLogger }), {
    code: 'WrongFile',
  })
})
