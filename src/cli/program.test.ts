import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { runCli } from './program.ts'

/** One command line and everything it wrote. */
async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(args, {
    io: { write: (line) => out.push(line), error: (line) => err.push(line) },
    env: {},
    cwd: tmpdir(),
  })
  return { code, out, err }
}

/** Bad usage: exit code 2, nothing on standard output, and this one line on the other. */
async function refused(args: string[], line: string): Promise<void> {
  assert.deepEqual(await run(...args), { code: 2, out: [], err: [`nodeop: ${line}`] })
}

test('nodeop: an unknown command or option is one line that names what is allowed', async () => {
  const commands =
    'devnet, start, trust, status, task, prove, allocate, simulate, backup, restore, guard'
  await refused(['fly'], `unknown command "fly" for nodeop; allowed: ${commands}`)
  await refused(['--fast'], 'unknown option "--fast" for nodeop; allowed: --version, --help')
  await refused(['task', 'x'], 'unknown command "x" for nodeop task; allowed: send')
  await refused(
    ['status', '--fast'],
    'unknown option "--fast" for nodeop status; allowed: --rpc, --json, --help',
  )
})

test('nodeop: missing and excess arguments say how it is used', async () => {
  await refused(['prove'], 'missing required argument "hash"; usage: nodeop prove [options] <hash>')
  const [{ err: excess }, { err: valueless }] = [
    await run('status', 'now'),
    await run('status', '--rpc'),
  ]
  assert.match(excess.join('\n'), /^nodeop: too many arguments .*usage: nodeop status \[options\]$/)
  assert.deepEqual(valueless, ['nodeop: option "--rpc <urls>" argument missing'])
})

test('nodeop: bad values name the option, the value and what is allowed', async () => {
  const hash = `0x${'12'.repeat(32)}`
  await refused(
    ['status', '--rpc', 'localhost:8545'],
    '--rpc "localhost:8545" is not allowed; allowed: http(s) URLs',
  )
  await refused(
    ['prove', '0x12'],
    'HASH "0x12" is not allowed; allowed: 0x and 64 hexadecimal digits',
  )
  await refused(['prove', hash, '--l1', 'x'], '--l1 "x" is not allowed; allowed: http(s) URLs')
  await refused(
    ['task', 'send', 'price', 'ETH/USD', '--timeout', '0'],
    '--timeout "0" is not allowed; allowed: whole seconds from 1 to 3600',
  )
  await refused(
    ['devnet', '--operators', '65'],
    '--operators "65" is not allowed; allowed: a whole number from 1 to 64',
  )
})

test('nodeop: without a command it shows the help and fails as bad usage', async () => {
  const { code, out, err } = await run()
  assert.deepEqual([code, out], [2, []])
  assert.match(err.join('\n'), /Usage: nodeop .*devnet.*status.*task.*prove/s)
})

test('nodeop: help and version go to standard output', async () => {
  const help = await run('prove', '--help')
  assert.equal(help.code, 0)
  assert.match(help.out.join('\n'), /Usage: nodeop prove \[options\] <hash>/)
  const version = await run('--version')
  assert.deepEqual([version.code, version.err], [0, []])
  assert.match(version.out.join(), /^\d+\.\d+\.\d+$/)
})

test('nodeop: a gateway that does not answer is one line and exit code 1', async () => {
  const { code, out, err } = await run('status', '--json', '--rpc', 'http://127.0.0.1:1')
  assert.equal(code, 1)
  assert.match(
    err.join('\n'),
    /^nodeop: no gateway answers \(http:\/\/127\.0\.0\.1:1: [^\n]+npm run devnet$/,
  )
  assert.equal(JSON.parse(out.join()).error.code, 'GatewaysUnreachable')
})

test('nodeop: any words are bad usage or help, never a crash', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.string({ maxLength: 8 }), { maxLength: 4 }), async (words) => {
      const { code, err } = await run('task', ...words)
      assert([0, 2].includes(code), err.join())
    }),
  ))

test('key files: others must not read them, and they must hold a key', async (t) => {
  const { loadKey } = await import('./key.ts')
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-key-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const key = `0x${'Ab'.repeat(32)}`
  writeFileSync(join(folder, 'good'), `${key}\n`, { mode: 0o600 })
  writeFileSync(join(folder, 'open'), key, { mode: 0o644 })
  writeFileSync(join(folder, 'bad'), 'words', { mode: 0o600 })
  assert.equal(loadKey('good', 1, folder), key.toLowerCase())
  assert.throws(() => loadKey('open', 1, folder), /others can read .*chmod 600/)
  assert.throws(() => loadKey('bad', 1, folder), /holds no key/)
  assert.throws(() => loadKey('none', 1, folder), /cannot read .*ENOENT/)
  assert.throws(() => loadKey(undefined, 1, folder), /--key-file is needed/)
  assert.match(loadKey(undefined, 31_337, folder), /^0xac0974be/)
})
