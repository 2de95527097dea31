import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openFolder } from './folder.ts'

/** A folder of files of these names; a name that ends in a slash is a folder's. */
function folderWith(t: TestContext, names: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-data-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of names)
    if (name.endsWith('/')) mkdirSync(join(folder, name))
    else writeFileSync(join(folder, name), '')
  return folder
}

async function opens(folder: string): Promise<void> {
  let close = () => {}
  const onOpened = (how: () => void) => {
    close = how
  }
  assert.equal(await openFolder(folder, onOpened), folder)
  close()
}

test('data folder: one of something else is refused by what it holds, and nothing is put into it', async (t) => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['notes.txt'], 'notes.txt'],
    [['b', 'a/', '.git/', 'genesis.ssz'], 'a and 1 more'],
    [['guard.log', 'operator.keys', 'operator.lock'], 'guard.log and 1 more'],
    [['operator-notes.txt'], 'operator-notes.txt'],
  ]
  for (const [names, found] of cases) {
    const folder = folderWith(t, names)
    const before = readdirSync(folder)
    const message = `--data ${folder} holds ${found}, but no network: name an empty folder`
    await assert.rejects(opens(folder), { code: 'DataUnusable', message })
    assert.deepEqual(readdirSync(folder), before)
  }
})

test('data folder: an empty one, and one with what an earlier start or a system has left, is taken', async (t) => {
  const early = ['operator.lock', 'operator.lock-journal', 'l1/']
  const killed = [...early, 'genesis.ssz', 'genesis.ssz.new', 'devnet.keys.new']
  const system = ['lost+found/', '.DS_Store', '.hidden/']
  for (const names of [[], early, killed, system]) await opens(folderWith(t, names))
})

test('data folder: beside a network anything may lie, and operators without keys are told so later', async (t) => {
  await opens(folderWith(t, ['devnet.keys', 'notes.txt']))
  await opens(folderWith(t, ['operator-1/', 'l1/']))
})
