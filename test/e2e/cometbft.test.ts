// The same network on CometBFT: every operator, and every CometBFT, a process of its own.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseDevnetOptions, type Summary, startProcessNetwork } from '#devnet'
import { createDisk, loadOperatorFolder } from '#node'
import { cometForTests } from '../support/comet.ts'
import { atHeight, proveDoubleVote, validatorsAt } from '../support/comet-double-vote.ts'
import { connectComet } from '../support/comet-rpc.ts'
import { clientOf, loadNetwork } from '../support/devnet-run.ts'
import { patienceMs } from '../support/waiting.ts'

const { skip } = cometForTests()
const base = mkdtempSync(join(tmpdir(), 'nodeop-comet-'))
after(() => rmSync(base, { recursive: true, force: true }))
const data = join(base, 'network')
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

/** Everything that was sent came everywhere. */
function assertWhole({ transactions, engine, lost, twice }: Summary): void {
  const { sent, confirmed, certified, onL1, refused } = transactions
  assert(sent > 0)
  assert.deepEqual([confirmed, certified, onL1, refused], [sent, sent, sent, {}])
  assert.deepEqual([engine, lost, twice], ['cometbft', 0, 0])
}

/** Nothing of the network still runs. */
function assertEnded(data: string): void {
  const left = globSync(join(data, 'operator-*/cometbft/cometbft.pid'))
  assert.deepEqual(left, [], 'a CometBFT that was not ended')
}

test('cometbft: a network loses nothing while an operator is killed', { skip }, async () => {
  const args = ['--engine', 'cometbft', '--json', '--for', '9s', '--load', '5']
  const { code, output, errors } = await devnet(data, ...args, '--chaos', 'operator')
  assert.equal(code, 0, errors)
  const summary = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as Summary
  assertWhole(summary)
  assertEnded(data)
  const { tasks } = summary
  assert.equal(tasks.onL1 + tasks.expired, tasks.sent)
  assert.match(errors, /chaos: operator 4 is up again/)
  const other = await devnet(data, '--for', '2s')
  assert.equal(other.code, 1)
  const words = /^DataMismatch: --data holds a network that runs on cometbft, not on embedded/m
  assert.match(other.errors, words)
})

test('cometbft: from its folder it goes on; a proven double vote takes the voter its power within two blocks', {
  skip,
}, async (t) => {
  const raw = { engine: 'cometbft', port: '0', data, logLevel: 'error' }
  const options = parseDevnetOptions(raw, '.')
  const said: string[] = []
  const network = await startProcessNetwork(options, (line) => said.push(line))
  assert.match(said.join('\n'), /going on with the network of the folder/)
  await loadNetwork(
    network,
    options,
    { rate: 5, until: ({ sent }) => sent.transactions.size >= 10 },
    async ({ summary }) => {
      assertWhole(summary)
      const node = connectComet(join(data, 'operator-1/cometbft'), patienceMs)
      t.after(() => node.close())
      const { keys } = await loadOperatorFolder(createDisk(join(data, 'operator-4')), 4)
      const { address, height } = await proveDoubleVote(node, keys.secrets.consensusSeed)
      await atHeight(node, height + 2)
      const votes = async (at: number) => (await validatorsAt(node, at)).includes(address)
      assert.deepEqual([await votes(height + 1), await votes(height + 2)], [true, false])
      const voter = (await (await clientOf(network, 1)).nodeop_operators()).find(
        ({ id }) => id === 4,
      )
      assert.deepEqual([voter?.status, voter?.power], ['jailed', '0'])
    },
  )
  assertEnded(data)
})

test('start: a folder that cannot be used is refused in one line with its code', async () => {
  const nobody = join(base, 'nobody')
  const missing = await nodeop('start', '--data', nobody, '--json')
  assert.deepEqual([missing.code, JSON.parse(missing.output).error.code], [1, 'BadSettings'])
  assert.match(missing.errors, /operator\.json is missing\n$/)
  assert(!existsSync(join(nobody, 'cometbft')))
})
