import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { delimiter, dirname } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { foundryBinary } from './support/foundry.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

test('contracts: the unit, fuzz and invariant tests pass', () => {
  const forge = run(foundryBinary('forge'), ['test', '--root', root, '--color', 'never'])
  assert.equal(forge.status, 0, `forge test failed:\n${forge.output}`)
  const passed = /(\d+) tests passed, 0 failed/.exec(forge.output)
  assert(passed && Number(passed[1]) > 50, `fewer tests ran than there are:\n${forge.output}`)
})

test('contracts: the committed artifacts are those of the sources', () => {
  const check = run(process.execPath, ['tools/artifacts.ts', '--check'])
  assert.equal(check.status, 0, check.output)
})

test('contracts: the vectors are what the records and the signing library give today', () => {
  const check = run(process.execPath, ['tools/contract-vectors.ts', '--check'])
  assert.equal(check.status, 0, check.output)
})

/** forge starts the compiler through the `node` of the path: the one that runs this test. */
function run(command: string, args: readonly string[]): { status: number | null; output: string } {
  const PATH = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`
  const done = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, PATH },
  })
  if (done.error) throw done.error
  return { status: done.status, output: `${done.stdout}${done.stderr}` }
}
