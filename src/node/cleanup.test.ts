import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { createCleanup } from './cleanup.ts'

test('cleanup: last things first, once, each after the one before has ended', async () => {
  const ended: string[] = []
  const cleanup = createCleanup(silentLogger)
  cleanup.add(() => void ended.push('first'))
  cleanup.add(async () => {
    await new Promise(setImmediate)
    ended.push('second')
  })
  await Promise.all([cleanup.run(), cleanup.run()])
  assert.deepEqual(ended, ['second', 'first'])
})

test('cleanup: a part that fails does not keep the others from ending', async () => {
  let ended = false
  const cleanup = createCleanup(silentLogger)
  cleanup.add(() => {
    ended = true
  })
  cleanup.add(() => Promise.reject(new Error('stuck')))
  await assert.rejects(cleanup.run(), /stuck/)
  assert(ended)
})
