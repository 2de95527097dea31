// The same network on CometBFT: every operator, and every CometBFT, a process of its own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Summary } from '#devnet'
import { cometForTests } from '../support/comet.ts'

const { skip } = cometForTests()
const base = mkdtempSync(join(tmpdir(), 'nodeop-comet-'))
after(() => rmSync(base, { recursive: true, force: true }))
const main = join(import.meta.dirname, '../../src/cli/main.ts')

/** Runs a command to its end. */
async function nodeop(...args: readonly string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const read = (stream: NodeJS.ReadableStream) => {
    const parts: string[] = []
    stream.setEncoding('utf8').on('data', (text: string) => parts.push(text))
    return () => parts.join('')
  }
  const [output, errors] = [read(child.stdout), read(child.stderr)]
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output: output(), errors: errors() }
}

const devnet = (data: string, ...args: readonly string[]) =>
  nodeop('devnet', '--port', '0', '--data', data, ...args)

const onComet = ['--engine', 'cometbft', '--json'] as const

/** Everything that was sent came everywhere, and nothing of the network still runs. */
function assertWhole(data: string, run: Awaited<ReturnType<typeof nodeop>>): Summary {
  assert.equal(run.code, 0, run.errors)
  const summary = JSON.parse(run.output.trimEnd().split('\n').at(-1) ?? '') as Summary
  const { transactions, engine, lost, twice } = summary
  const { sent, confirmed, certified, onL1, refused } = transactions
  assert(sent > 0)
  assert.deepEqual([confirmed, certified, onL1, refused], [sent, sent, sent, {}])
  assert.deepEqual([engine, lost, twice], ['cometbft', 0, 0])
  const left = globSync(join(data, 'operator-*/cometbft/cometbft.pid'))
  assert.deepEqual(left, [], 'a CometBFT that was not ended')
  return summary
}

test('cometbft: a network loses nothing while an operator is killed, and goes on from its folder', {
  skip,
}, async () => {
  const data = join(base, 'network')
  const first = await devnet(data, ...onComet, '--for', '9s', '--load', '5', '--chaos', 'operator')
  const { tasks } = assertWhole(data, first)
  assert.equal(tasks.onL1 + tasks.expired, tasks.sent)
  assert.match(first.errors, /chaos: operator 4 is up again/)
  const second = await devnet(data, ...onComet, '--for', '2s', '--load', '5')
  assertWhole(data, second)
  assert.match(second.errors, /going on with the network of the folder/)
  const other = await devnet(data, '--for', '2s')
  assert.equal(other.code, 1)
  const words = /^DataMismatch: --data holds a network that runs on cometbft, not on embedded/m
  assert.match(other.errors, words)
})

test('start: a folder that cannot be used is refused in one line with its code', async () => {
  const data = join(base, 'nobody')
  const missing = await nodeop('start', '--data', data, '--json')
  assert.deepEqual([missing.code, JSON.parse(missing.output).error.code], [1, 'BadSettings'])
  assert.match(missing.errors, /operator\.json is missing\n$/)
  assert(!existsSync(join(data, 'cometbft')))
})
