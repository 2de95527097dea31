import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

test("devnet: somebody else's folder is refused in one line, and nothing is put into it", async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'nodeop-data-'))
  t.after(() => rmSync(data, { recursive: true }))
  writeFileSync(join(data, 'thesis.tex'), '')
  const said: string[] = []
  const io = { write: () => {}, error: (line: string) => void said.push(line) }
  const args = ['devnet', '--port', '0', '--data', data]
  assert.equal(await runCli(args, { io, env: {}, cwd: '/' }), 1)
  const message = `--data ${data} holds thesis.tex, but no network: name an empty folder`
  assert.deepEqual(said, [`DataUnusable: ${message}`])
  assert.deepEqual(readdirSync(data), ['thesis.tex'])
})
