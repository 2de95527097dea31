import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

test('plots: the committed figures are what the model gives', () => {
  const root = join(import.meta.dirname, '..')
  const check = spawnSync(process.execPath, ['tools/plots.ts', '--check'], { cwd: root })
  assert.equal(check.status, 0, `${check.stdout}${check.stderr}`)
})
