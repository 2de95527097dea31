import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DiskFailedError, FolderInUseError } from '../disk.ts'
import { lockFile, lockFolder } from './lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'nodeop lock '))
after(() => rmSync(folder, { recursive: true }))

const attempt = `
  import { lockFolder } from ${JSON.stringify(import.meta.resolve('./lock.ts'))}
  lockFolder(process.argv[1])
  gc() // what nobody refers to is gone
  console.log('locked')
`
const program = `${attempt}; setInterval(() => {}, 1000)`
const argumentsOf = (text: string) => [
  '--expose-gc',
  '--input-type=module',
  ...['-e', text, folder],
]

test('lock: a second holder in this process is refused until the first lets go', () => {
  const lock = lockFolder(folder)
  assert.throws(
    () => lockFolder(folder),
    (error) => {
      assert(error instanceof FolderInUseError)
      assert.equal(error.details.path, folder)
      assert.equal(error.message, `${folder} is in use by another operator process: stop it first`)
      return true
    },
  )
  lock.release()
  lockFolder(folder).release()
})

test('lock: only its owner may open the file', () => {
  lockFolder(folder).release()
  assert.equal(statSync(join(folder, lockFile)).mode & 0o777, 0o600)
})

test('lock: a second holder that is refused here leaves it kept from other processes', () => {
  const lock = lockFolder(folder)
  assert.throws(() => lockFolder(folder), FolderInUseError)
  const { stdout, stderr } = spawnSync(process.execPath, argumentsOf(attempt), { encoding: 'utf8' })
  assert.equal(stdout, '')
  assert.match(stderr, /FolderInUse/)
  lock.release()
})

test('lock: another process keeps it until it is killed', async () => {
  const child = spawn(process.execPath, argumentsOf(program))
  try {
    await once(child.stdout, 'data')
    assert.throws(() => lockFolder(folder), FolderInUseError)
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  lockFolder(folder).release()
})

test('lock: a folder that is none is refused by name', () => {
  writeFileSync(join(folder, 'file'), '')
  assert.throws(
    () => lockFolder(join(folder, 'file')),
    (error) => {
      assert(error instanceof DiskFailedError)
      assert.equal(error.details.path, join(folder, 'file', lockFile))
      return true
    },
  )
})
