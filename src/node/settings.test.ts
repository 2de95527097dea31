import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createDisk } from './disk.ts'
import { loadSettings, type OperatorSettingsFile, readSettings, saveSettings } from './settings.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop-settings-'))
after(() => rmSync(base, { recursive: true, force: true }))

const id = '0123456789abcdef0123456789abcdef01234567'
const least: OperatorSettingsFile = {
  operator: 3,
  gateway: {},
  l1Url: 'http://127.0.0.1:8555',
  cometbft: { peers: [] },
}

test('settings: what is left out has its default, and what is saved reads back', async () => {
  const disk = createDisk(base)
  await assert.rejects(loadSettings(disk), {
    code: 'BadSettings',
    message: /operator\.json is missing/,
  })
  await saveSettings(disk, least)
  const settings = await loadSettings(disk)
  assert.deepEqual(settings, {
    ...least,
    gateway: { host: '127.0.0.1', port: 8545 },
    feeds: [],
    gateways: {},
    cometbft: {
      listen: '0.0.0.0:26656',
      peers: [],
      timing: 'wan',
      mempool: 'app',
      snapshots: { everyBlocks: 1_000, kept: 2 },
    },
  })
  await saveSettings(disk, settings)
  assert.deepEqual(await loadSettings(disk), settings)
})

test('settings: a bad entry is refused by its name', () => {
  const comet = (change: object) => ({ ...least, cometbft: { ...least.cometbft, ...change } })
  const bad: readonly (readonly [where: string, value: unknown])[] = [
    ['operator', { ...least, operator: 0 }],
    ['l1Url', { ...least, l1Url: 'ftp://127.0.0.1' }],
    ['gateway.port', { ...least, gateway: { port: 65_536 } }],
    ['gateways', { ...least, gateways: { one: 'http://127.0.0.1' } }],
    ['keptBlocks', { ...least, keptBlocks: 1_023 }],
    ['cometbft.listen', comet({ listen: '127.0.0.1' })],
    ['cometbft.peers.1', comet({ peers: [`${id}@op:1`, 'op:1'] })],
    ['cometbft.peers.0', comet({ peers: [`${id}@op:1"\nevil = 1`] })],
    ['cometbft.timing', comet({ timing: 'moon' })],
    ['it', { ...least, extra: 1 }],
  ]
  for (const [where, value] of bad) {
    const message = new RegExp(`^x: ${where.replaceAll('.', '\\.')}`)
    assert.throws(() => readSettings('x', JSON.stringify(value)), { code: 'BadSettings', message })
  }
  assert.throws(() => readSettings('x', '{'), { code: 'BadSettings', message: /^x is no JSON/ })
})

const read = (changes: object) =>
  readSettings('operator.json', JSON.stringify({ ...least, ...changes }))

test('settings: what an operator declares is read as the ledger takes it', () => {
  const costs = { sums: '7', price: '250000000000000' }
  assert.deepEqual(read({ declares: { capacity: 300, costs, group: 'acme' } }).declares, {
    capacity: 300,
    costs: [
      { service: 'price', cost: 250_000_000_000_000n },
      { service: 'sums', cost: 7n },
    ],
    group: 'acme',
  })
  assert.deepEqual(read({ declares: { capacity: 0 } }).declares, {
    capacity: 0,
    costs: [],
    group: '',
  })
  assert.equal(read({}).declares, undefined)
})

test('settings: what cannot be declared is named', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{}, /^operator\.json: declares\.capacity: /],
    [{ capacity: -1 }, /^operator\.json: declares\.capacity: /],
    [
      { capacity: 1, group: 'Acme' },
      /declares\.group: up to 32 of a-z, 0-9, - and \. are expected$/,
    ],
    [{ capacity: 1, costs: { price: 'much' } }, /declares\.costs\.price: an amount of wei is/],
    [{ capacity: 1, cost: 1 }, /declares: /],
  ]
  for (const [declares, message] of cases)
    assert.throws(() => read({ declares }), { code: 'BadSettings', message })
})

test('settings: a block to begin from needs two servers, and its hash in either way', () => {
  const hash = 'AB'.repeat(32)
  const withSync = (stateSync: object) => {
    const text = JSON.stringify({ ...least, cometbft: { peers: [], stateSync } })
    return readSettings('operator.json', text).cometbft.stateSync
  }
  const servers = ['a.example:26657', 'b.example:26657']
  const read = { servers, trustHeight: 7, trustHash: `0x${'ab'.repeat(32)}`, trustPeriodS: 604_800 }
  for (const trustHash of [hash, `0x${hash.toLowerCase()}`])
    assert.deepEqual(withSync({ servers, trustHeight: 7, trustHash }), read)
  const one = { servers: servers.slice(1), trustHeight: 7, trustHash: hash }
  assert.throws(() => withSync(one), { code: 'BadSettings', message: /stateSync\.servers/ })
  const short = { servers, trustHeight: 7, trustHash: hash.slice(1) }
  assert.throws(() => withSync(short), { code: 'BadSettings', message: /64 hexadecimal digits/ })
})
