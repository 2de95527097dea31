import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pass } from 'node:timers/promises'
import { silentLogger as logger } from '../../test/support/manual-clock.ts'
import { keepCopies, mendState } from './l1-state.ts'

function folderOf(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-l1-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = (name: string) => join(folder, `${name}.json`)
  return {
    folder,
    write: (name: string, text: string) => writeFileSync(path(name), text),
    written: (name: string, seconds: number) => utimesSync(path(name), seconds, seconds),
    read: (name: string) => readFileSync(path(name), 'utf8'),
    has: (name: string) => existsSync(path(name)),
  }
}

test('L1 state: what is whole stays; a part is replaced by the newest whole copy', async (t) => {
  const { folder, write, written, read, has } = folderOf(t)
  await mendState(folder, logger)
  assert(!has('anvil'))
  write('anvil', '{"n":3}')
  write('anvil-1', '{"n":2}')
  write('anvil-2', '{"n":1}')
  written('anvil-1', 2)
  written('anvil-2', 1)
  await mendState(folder, logger)
  assert.equal(read('anvil'), '{"n":3}')
  for (const part of ['', '{"n"']) {
    write('anvil', part)
    await mendState(folder, logger)
    assert.equal(read('anvil'), '{"n":2}')
  }
  write('anvil', '{')
  write('anvil-1', '{"n":')
  await mendState(folder, logger)
  assert.equal(read('anvil'), '{"n":1}')
})

test('L1 state: where nothing is whole, the folder is refused and left alone', async (t) => {
  const { folder, write, read } = folderOf(t)
  write('anvil', '{')
  write('anvil-1', '')
  await assert.rejects(mendState(folder, logger), {
    code: 'L1StateDamaged',
    message: /anvil\.json/,
  })
  assert.equal(read('anvil'), '{')
})

test('L1 state: whatever is whole is copied, in turn, and a part never', async (t) => {
  const { folder, write, read, has } = folderOf(t)
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await pass(5)
  }
  write('anvil', '{"n":1}')
  const end = keepCopies(folder, logger)
  await until(() => has('anvil-1'))
  write('anvil', '{"n":2}')
  await until(() => has('anvil-2'))
  write('anvil', '{"n":')
  write('anvil', '{"n":3}')
  await until(() => read('anvil-1') !== '{"n":1}')
  await end()
  assert.deepEqual([read('anvil-1'), read('anvil-2')], ['{"n":3}', '{"n":2}'])
})
