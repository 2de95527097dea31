import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LogFile } from './log-file.ts'

const limit = 16 * 1024 * 1024

/** The log of a folder of its own, open for a run. */
function opened(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'nodeop log '))
  const log = new LogFile(home)
  const file = log.open()
  t.after(() => {
    closeSync(file)
    rmSync(home, { recursive: true })
  })
  return { log, path: join(home, 'cometbft.log'), say: (words: string) => writeSync(file, words) }
}

test('log: at its limit it stays; beyond, it is put aside, and the run goes on in an empty one', (t) => {
  const { log, path, say } = opened(t)
  say(`${'x'.repeat(limit - 1)}\n`)
  log.trim()
  assert.equal(statSync(path).size, limit)
  say('the last straw\n')
  log.trim()
  assert.equal(statSync(path).size, 0)
  assert.match(readFileSync(`${path}.old`, 'utf8').slice(-20), /the last straw\n$/)
  assert.equal(statSync(`${path}.old`).mode & 0o777, 0o600)
  say('more\n')
  assert.equal(readFileSync(path, 'utf8'), 'more\n', 'nothing is left out before it')
})

test('log: the last words are those of the run, also after what it said was put aside', (t) => {
  const { log, say } = opened(t)
  say('of a run before\n')
  closeSync(log.open())
  assert.equal(log.lastWords(), '')
  say('one\n\ntwo\n')
  assert.equal(log.lastWords(), 'one | two')
  say(`${'x'.repeat(limit)}\n`)
  log.trim()
  assert.equal(log.lastWords(), '')
  say('the end\n')
  assert.equal(log.lastWords(), 'the end')
})
