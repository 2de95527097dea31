import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskFullError } from '#node'
import { fromUtf8, utf8 } from '#primitives'
import { createFaultyDisk } from '../../test/support/faulty-disk.ts'
import { slowDisk, smallDisk } from './troubled-disk.ts'

test('small disk: a write that does not fit is not begun, and the error names file and remedy', async () => {
  const below = createFaultyDisk(1)
  const file = await smallDisk(below, 8).open('deep/file')
  await file.write(0, utf8('12345'))
  await assert.rejects(file.write(5, utf8('6789')), (error: unknown) => {
    assert(error instanceof DiskFullError)
    assert.match(error.message, /no space left for .*deep\/file: free some, then start again/)
    return true
  })
  assert.equal(fromUtf8(below.bytes('deep/file') ?? new Uint8Array()), '12345')
})

test('small disk: all its files share the room', async () => {
  const disk = smallDisk(createFaultyDisk(1), 8)
  await (await disk.open('one')).write(0, utf8('12345'))
  await assert.rejects((await disk.open('two')).write(0, utf8('12345')), DiskFullError)
})

test('slow disk: a sync of a file and of a folder waits first, then is done', async () => {
  const below = createFaultyDisk(1)
  let waits = 0
  const disk = slowDisk(below, async () => void waits++)
  const file = await disk.open('deep/file')
  await file.write(0, utf8('safe'))
  await file.sync()
  await disk.syncFolder('deep')
  assert.equal(waits, 2)
  assert.equal(fromUtf8(below.afterPowerCut().bytes('deep/file') ?? new Uint8Array()), 'safe')
})
