import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { runCli } from './program.ts'

test('devnet: where no folder can be made, one line says so, and nothing was started', {
  skip: existsSync('/proc/self') ? false : 'the system has no /proc',
}, async () => {
  const said: string[] = []
  const io = { write: () => {}, error: (line: string) => void said.push(line) }
  const data = '/proc/nodeop/data'
  assert.equal(await runCli(['devnet', '--data', data], { io, env: {}, cwd: '/' }), 1)
  assert.equal(said.length, 1)
  assert.match(
    said[0] ?? '',
    /DataUnusable: --data \/proc\/nodeop\/data cannot be used as a folder/,
  )
})
