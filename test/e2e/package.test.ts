// The package as somebody installs it: built, packed, put into an empty folder and used from there.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const base = mkdtempSync(join(tmpdir(), 'nodeop package '))
const folder = join(base, 'an empty folder')

/** As in a fresh terminal: without what npm told the script that runs this, and on this Node. */
const env = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(npm_|NODE_TEST|NODE_COMPILE_CACHE|NODEOP)/.test(name),
    ),
  ),
  PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
}

const npm = (...args: readonly string[]) => run('npm', [...args], { cwd: folder, env })
const node = (...args: readonly string[]) => run(process.execPath, [...args], { cwd: folder, env })

before(async () => {
  const dist = join(base, 'dist')
  mkdirSync(folder)
  await run(process.execPath, [join(root, 'tools/build.ts'), dist], { cwd: root, env })
  await npm('pack', dist, '--pack-destination', base, '--loglevel=error')
  const tarball = readdirSync(base).find((name) => name.endsWith('.tgz')) ?? ''
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
  const quiet = ['--prefer-offline', '--fetch-timeout=120000', '--ignore-scripts', '--no-audit']
  await npm('install', ...quiet, '--loglevel=error', join(base, tarball))
})
after(() => rmSync(base, { recursive: true, force: true }))

test('package: ships neither tests nor a Node of its own', () => {
  const shipped = readdirSync(join(folder, 'node_modules/nodeop'), { recursive: true }).map(String)
  assert.deepEqual(
    shipped.filter((file) => /\.test\.|test-support|(?<!\.d)\.ts$/.test(file)),
    [],
  )
  const installed = readdirSync(join(folder, 'node_modules'))
  assert.deepEqual(
    installed.filter((name) => /^(node-linux|node26|typescript|solc|fast-check)/.test(name)),
    [],
  )
})

test('package: its subpaths load, and what is inside stays inside', async () => {
  const program = `const { sha256Hex } = await import('nodeop/primitives')
    await Promise.all(['nodeop', 'nodeop/api', 'nodeop/protocol', 'nodeop/services/price']
      .map((name) => import(name)))
    const deep = await import('nodeop/primitives/bytes.js').catch(({ code }) => code)
    console.log(sha256Hex(new Uint8Array()).slice(0, 10), deep)`
  const { stdout } = await node('--input-type=module', '--eval', program)
  assert.equal(stdout, '0xe3b0c442 ERR_PACKAGE_PATH_NOT_EXPORTED\n')
})

test('package: its types hold for who uses them', async () => {
  const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, types: [] }
  const config = { compilerOptions: { ...options, skipLibCheck: true }, files: ['use.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(
    join(folder, 'use.ts'),
    `import type { AssignedService } from 'nodeop'
import { type Wei, wei } from 'nodeop/primitives'
export const fee: Wei = wei(1n)
// @ts-expect-error a bare bigint is no amount
export const bare: Wei = 1n
export const rule = (service: AssignedService) => service.spec.mode satisfies 'assigned'
`,
  )
  const tsc = join(root, 'node_modules/typescript-compiler/bin/tsc')
  const { stdout } = await node(tsc, '-p', folder).catch((failed) => failed)
  assert.equal(stdout, '')
})

test('package: npx nodeop says what it can do', async () => {
  const { stdout } = await run('npx', ['--no-install', 'nodeop', '--help'], { cwd: folder, env })
  assert.match(stdout, /devnet/)
})

test('package: npx nodeop runs a network for as long as told, and its last line is the summary', async () => {
  const options = ['devnet', '--port', '0', '--for', '4s', '--load', '5', '--json']
  const { stdout } = await run('npx', ['--no-install', 'nodeop', ...options], { cwd: folder, env })
  const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
  assert.ok(summary.transactions.onL1 > 0)
  assert.deepEqual([summary.lost, summary.twice], [0, 0])
  for (const [part, names] of Object.entries(keys))
    for (const name of names) assert(name in (summary[part] ?? {}), `${part}.${name}`)
  for (const name of ['operators', 'engine', 'seconds', 'blocks', 'blocksAboveRound0'])
    assert(name in summary, name)
})

test('package: where no CometBFT is installed, that is said before anything is started', async () => {
  const devnet = ['node_modules/.bin/nodeop', 'devnet', '--engine', 'cometbft', '--port', '0']
  const bare = { cwd: folder, env: { ...env, PATH: '' } }
  const { code, stdout, stderr } = await run(process.execPath, devnet, bare).catch((ended) => ended)
  assert.equal(code, 1)
  assert.match(stderr, /^CometMissing: CometBFT v[\d.]+ is not installed/m)
  assert.doesNotMatch(`${stdout}${stderr}`, /starting L1/)
})

/** Keys that people's scripts rely on. */
const keys = {
  transactions: ['sent', 'refused', 'confirmed', 'certified', 'onL1'],
  tasks: ['sent', 'refused', 'agreed', 'certified', 'onL1', 'settled', 'expired', 'latencyMs'],
  checkpoints: ['certified', 'onL1', 'byFallback', 'missedWindows'],
  latencyMs: ['confirmed', 'certified', 'onL1'],
  gasPerSubmission: ['p50', 'max'],
}
