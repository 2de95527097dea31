import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createGenesis, createOperators, saveNetwork } from '#devnet'
import {
  createDisk,
  type Guard,
  guardFile,
  identityOf,
  lockFolder,
  openGuard,
  restoredFile,
  saveOperatorFolder,
  systemRng,
} from '#node'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { networkId } from '#records'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { runCli } from './program.ts'

const hex = (text: string): Hex => sha256Hex(utf8(text))
const outbox: Hex = `0x${'01'.repeat(20)}`
const members = createOperators(2, systemRng)
const genesis = createGenesis({
  operators: members,
  deployment: {
    ...{ chainId: 31_337, outbox, serviceManager: outbox, priceConsumer: outbox },
    startBlock: 3,
  },
  ...{ l1ChainId: 31_337, timeMs: 1_000_000, funded: [], parameters: [] },
})
const [ada, bob] = members.map(({ secrets }) => ({
  networkId: networkId(genesis),
  operator: identityOf(secrets).consensusKey,
}))
assert(ada && bob)

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop guard '))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

async function run(cwd: string, ...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const io = { write: (line: string) => out.push(line), error: (line: string) => err.push(line) }
  const code = await runCli(args, { io, env: {}, cwd })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

async function withGuard<T>(folder: string, owner = ada, use: (guard: Guard) => Promise<T>) {
  assert(owner)
  const guard = await openGuard({
    ...{ disk: createDisk(folder), ...owner, rng: systemRng, logger: silentLogger },
  })
  try {
    return await use(guard)
  } finally {
    await guard.close()
  }
}

/** A folder in which an operator has signed up to a height, and what else a start leaves. */
async function signed(folder: string, height: number, owner = ada): Promise<void> {
  mkdirSync(folder, { recursive: true })
  await withGuard(folder, owner, async ({ votes, reports, transactions }) => {
    await votes.admit({ height, round: 0, step: 'precommit' }, hex('a'))
    await reports.sign(3 * height, hex('a'), () => `0x${'5c'.repeat(65)}`)
    await transactions.admit(height - 1, hex('a'))
  })
  writeFileSync(join(folder, 'consensus.log'), '')
}

const mayVote = (folder: string, height: number, owner = ada): Promise<boolean> =>
  withGuard(
    folder,
    owner,
    async ({ votes }) => (await votes.admit({ height, round: 0, step: 'prevote' }, hex('b'))).ok,
  )

test('guard: what one folder has signed, another one does not sign again', async (t) => {
  const base = folderOf(t)
  await signed(join(base, 'old'), 40)
  await signed(join(base, 'new'), 7)
  const written = await run(base, 'guard', 'export', '--data', 'old', 'mark')
  assert.deepEqual([written.code, written.err], [0, ''])
  const printed = await run(base, 'guard', 'export', '--data', 'old')
  assert.equal(`${printed.out}\n`, readFileSync(join(base, 'mark'), 'utf8'))
  const taken = await run(base, 'guard', 'import', '--data', 'new', 'mark')
  assert.deepEqual(taken, {
    code: 0,
    out:
      `operator ${ada.operator} signs from now on: votes after the precommit of height 40, ` +
      'round 0; reports after 120; L1 nonces from 40',
    err: '',
  })
  assert(!(await mayVote(join(base, 'new'), 40)))
  assert(await mayVote(join(base, 'new'), 41))
})

test('guard: the higher of both holds', async (t) => {
  const base = folderOf(t)
  await signed(join(base, 'low'), 7)
  await signed(join(base, 'high'), 40)
  await run(base, 'guard', 'export', '--data', 'low', 'mark')
  const { out } = await run(base, 'guard', 'import', '--data', 'high', 'mark')
  assert.match(out, /height 40, round 0; reports after 120; L1 nonces from 40$/)
  assert(!(await mayVote(join(base, 'high'), 40)))
})

test('guard: one that is damaged names a remedy, and the remedy works', async (t) => {
  const base = folderOf(t)
  const folder = join(base, 'operator-1')
  await saveNetwork(createDisk(base), { genesis, members, anchor: { block: 3, hash: hex('b') } })
  await signed(folder, 40)
  await run(folder, 'guard', 'export', join(base, 'mark'))
  const bytes = readFileSync(join(folder, guardFile))
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  writeFileSync(join(folder, guardFile), bytes)
  const remedy = /move the file away and import .*: (nodeop guard import --data .*)$/
  const open = () => mayVote(folder, 50)
  const failure = await open().then(() => assert.fail(), String)
  const [, command = ''] = remedy.exec(failure) ?? []
  assert.match((await run(base, 'guard', 'export', '--data', folder)).err, remedy)
  renameSync(join(folder, guardFile), join(base, 'away'))
  const missing = await open().then(() => assert.fail(), String)
  assert(missing.endsWith(command), missing)
  const words = command.split(` ${folder} `).flatMap((part) => part.split(' '))
  assert.deepEqual(words, ['nodeop', 'guard', 'import', '--data', 'FILE'])
  const { code, err } = await run(base, 'guard', 'import', '--data', folder, 'mark')
  assert.deepEqual([code, err], [0, ''])
  assert(!(await mayVote(folder, 40)))
  assert(await mayVote(folder, 41))
})

test('guard: keys and genesis say whose a folder is that was never started', async (t) => {
  const base = folderOf(t)
  await signed(join(base, 'old'), 40)
  await run(base, 'guard', 'export', '--data', 'old', 'mark')
  const [keys, others] = members
  assert(keys && others)
  await saveOperatorFolder(createDisk(join(base, 'new')), { genesis, keys })
  await saveOperatorFolder(createDisk(join(base, 'other')), { genesis, keys: others })
  assert.equal((await run(base, 'guard', 'import', '--data', 'new', 'mark')).code, 0)
  assert(!(await mayVote(join(base, 'new'), 40)))
  const { code, err } = await run(base, 'guard', 'import', '--data', 'other', 'mark')
  assert.equal(code, 1)
  assert.equal(
    err,
    `nodeop: not a watermark for this operator: it is of operator ${ada.operator}, not ${bob.operator}`,
  )
  assert(!existsSync(join(base, 'other', guardFile)))
})

test('guard: a folder that an operator runs on is refused, and nothing changes', async (t) => {
  const base = folderOf(t)
  await signed(join(base, 'old'), 40)
  await signed(join(base, 'live'), 7)
  await run(base, 'guard', 'export', '--data', 'old', 'mark')
  const before = readFileSync(join(base, 'live', guardFile))
  const lock = lockFolder(join(base, 'live'))
  for (const words of [['export'], ['import', 'mark']]) {
    const { code, err } = await run(base, 'guard', ...words, '--data', 'live')
    assert.deepEqual(
      [code, err],
      [1, `nodeop: ${join(base, 'live')} is in use by another operator process: stop it first`],
    )
  }
  lock.release()
  assert.deepEqual(readFileSync(join(base, 'live', guardFile)), before)
})

test('guard: what is not known is not exported, and exporting changes nothing', async (t) => {
  const base = folderOf(t)
  await signed(join(base, 'good'), 40)
  const before = readFileSync(join(base, 'good', guardFile))
  assert.equal((await run(base, 'guard', 'export', '--data', 'good')).code, 0)
  assert.deepEqual(readFileSync(join(base, 'good', guardFile)), before)
  writeFileSync(join(base, 'good', restoredFile), '')
  const [keys] = members
  assert(keys)
  await saveOperatorFolder(createDisk(join(base, 'unused')), { genesis, keys })
  mkdirSync(join(base, 'empty'))
  const cases: readonly (readonly [string, RegExp])[] = [
    ['good', /^nodeop: .*guard\.log is from a backup, .* export when restored is gone/],
    ['unused', /^nodeop: .*guard\.log is missing: what was signed is not known$/],
    ['empty', /^nodeop: .*empty is no operator's folder: name one that ran before/],
    ['none', /^nodeop: .*none is no operator's folder: name one that ran before/],
  ]
  for (const [folder, line] of cases) {
    const { code, out, err } = await run(base, 'guard', 'export', '--data', folder)
    assert.deepEqual([code, out], [1, ''], folder)
    assert.match(err, line)
  }
  assert.deepEqual(readdirSync(join(base, 'empty')), [])
  assert(!existsSync(join(base, 'none')))
})

test('guard: an export is never written over a file, and an import needs one', async (t) => {
  const base = folderOf(t)
  await signed(join(base, 'old'), 40)
  writeFileSync(join(base, 'mine'), 'precious')
  const over = await run(base, 'guard', 'export', '--data', 'old', 'mine')
  assert.equal(over.code, 2)
  assert.match(over.err, /mine cannot be written: Error: EEXIST/)
  assert.equal(readFileSync(join(base, 'mine'), 'utf8'), 'precious')
  const bad = await run(base, 'guard', 'import', '--data', 'old', 'mine')
  assert.deepEqual(bad.code, 1)
  assert.match(bad.err, /not a watermark for this operator: it is no JSON/)
  const none = await run(base, 'guard', 'import', '--data', 'old', 'none')
  assert.match(none.err, /none cannot be read/)
})
