import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeFolders } from './folders.ts'

const root = mkdtempSync(join(tmpdir(), 'nodeop-folders-'))
after(() => rmSync(root, { recursive: true }))

test('folders: what is missing is made, the outermost first, and nothing twice', async () => {
  const [outer, inner] = [join(root, 'a'), join(root, 'a', 'b')]
  assert.deepEqual(await makeFolders(inner, 0o700), [outer, inner])
  assert.equal(statSync(inner).mode & 0o777, 0o700)
  assert.deepEqual(await makeFolders(inner, 0o700), [])
})

test('folders: two who make the same folder both have it', async () => {
  const path = join(root, 'c', 'd')
  await Promise.all([makeFolders(path, 0o700), makeFolders(path, 0o700)])
  assert(statSync(path).isDirectory())
})

test('folders: a file in the way is an error, as is a place where none can be', async () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  await assert.rejects(makeFolders(file, 0o700), { code: 'EEXIST' })
  await assert.rejects(makeFolders(join(file, 'x'), 0o700), { code: 'ENOTDIR' })
  if (process.platform === 'linux')
    await assert.rejects(makeFolders('/proc/nodeop/x', 0o700), { code: 'ENOENT' })
})
