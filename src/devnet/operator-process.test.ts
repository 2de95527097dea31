import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startOperatorProcess } from './operator-process.ts'

test('operator process: one that is refused ends by itself, and says why once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-process-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const said: string[] = []
  const note = (message: string) => void said.push(message)
  const operator = startOperatorProcess({
    ...{ folder, name: 'ada', init: false, logLevel: 'warn' },
    logger: { debug: note, info: note, warn: note, error: note },
  })
  t.after(() => operator.kill())
  await assert.rejects(operator.serves, {
    code: 'OperatorDied',
    message: `ada ended with code 1: nodeop: ${join(folder, 'operator.json')} is missing`,
  })
  assert.deepEqual(said, [])
})
