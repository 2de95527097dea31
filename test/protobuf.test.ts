import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

test('protobuf: the committed messages are those of their definitions', () => {
  const check = spawnSync(process.execPath, ['tools/protobuf.ts', '--check'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(check.status, 0, `${check.stdout}${check.stderr}`)
})
