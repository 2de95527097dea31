import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { toHex } from '#primitives'
import { longestBatch, maxBatchBytes } from '../batch.ts'
import { chainIdOf } from '../chain.ts'
import { cometTimings } from './config.ts'
import { type CometHome, raiseSignState, writeHome } from './home.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop home '))
after(() => rmSync(base, { recursive: true, force: true }))

/** RFC 8032, section 7.1, test 1: a seed and its public key. */
const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
const publicKey = '0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

const homeIn = (folder: string, change: Partial<CometHome> = {}): CometHome => ({
  folder: join(base, folder),
  genesis: {
    networkId: toHex(new Uint8Array(32).fill(7)),
    timeMs: 1_700_000_000_123,
    validators: [{ consensusKey: publicKey, power: 5n }],
    appVersion: 1,
    maxTransactionBytes: 1024 * 1024,
  },
  config: {
    moniker: 'a "name"',
    abciAddress: 'unix:///x/abci.sock',
    rpcAddress: 'unix:///x/rpc.sock',
    peers: { listen: '127.0.0.2:26656', persistent: ['aa@127.0.0.3:1', 'bb@127.0.0.4:2'] },
    timing: cometTimings.lan,
    mempool: 'flood',
    maxTransactionBytes: 1024 * 1024,
  },
  consensusSeed: seed,
  hasSigned: false,
  ...change,
})

const read = (home: CometHome, path: string): string =>
  readFileSync(join(home.folder, path), 'utf8')
const json = (home: CometHome, path: string) => JSON.parse(read(home, path))

test('home: keys are the seed’s own, in Go’s form, and nobody else may read them', () => {
  const home = homeIn('keys')
  writeHome(home)
  const { address, pub_key, priv_key } = json(home, 'config/priv_validator_key.json')
  assert.equal(toHex(Buffer.from(pub_key.value, 'base64')), publicKey)
  assert.deepEqual(Buffer.from(priv_key.value, 'base64').subarray(0, 32), seed)
  assert.match(address, /^[0-9A-F]{40}$/)
  assert.notEqual(json(home, 'config/node_key.json').priv_key.value, priv_key.value)
  for (const file of ['config/priv_validator_key.json', 'config/node_key.json'])
    assert.equal(statSync(join(home.folder, file)).mode & 0o777, 0o600)
})

test('home: the second start changes the configuration, never the data', () => {
  const home = homeIn('twice')
  writeHome(home)
  const signed = '{"height":"9","round":0,"step":3}'
  writeFileSync(join(home.folder, 'data/priv_validator_state.json'), signed)
  writeHome({ ...home, hasSigned: true, config: { ...home.config, timing: cometTimings.wan } })
  assert.match(read(home, 'config/config.toml'), /timeout_propose = "3000ms"/)
  assert.equal(read(home, 'data/priv_validator_state.json'), signed)
})

test('home: with the application’s mempool a transaction may be as long as a batch', () => {
  const home = homeIn('batches')
  for (const bytes of [100_000, 2 * maxBatchBytes]) {
    const config = { ...home.config, maxTransactionBytes: bytes }
    writeHome({ ...home, config: { ...config, mempool: 'app' } })
    const ours = read(home, 'config/config.toml')
    assert.match(ours, new RegExp(`^max_tx_bytes = ${longestBatch(bytes)}$`, 'm'))
    assert.match(ours, /^reap_interval = "10ms"$/m)
    writeHome({ ...home, config })
    const theirs = read(home, 'config/config.toml')
    assert.match(theirs, new RegExp(`^max_tx_bytes = ${bytes}$`, 'm'))
    assert.doesNotMatch(theirs, /reap_interval/)
  }
})

test('home: another network’s folder is refused with the field and both values', () => {
  const home = homeIn('networks')
  writeHome(home)
  const refused = (changes: Partial<CometHome['genesis']>, message: RegExp) => {
    const other = homeIn('networks', { genesis: { ...home.genesis, ...changes } })
    assert.throws(() => writeHome(other), { code: 'WrongEngine', message })
  }
  const networkId = toHex(new Uint8Array(32).fill(8))
  const [ours, theirs] = [chainIdOf(networkId), chainIdOf(home.genesis.networkId)]
  refused({ networkId }, new RegExp(`has chain_id ${theirs}, the operator's genesis ${ours}: `))
  refused({ appVersion: 2 }, /has consensus_params\.version\.app 1, the operator's genesis 2: /)
  refused(
    { validators: [] },
    /has validators\.0\.address \w{40}, the operator's genesis \(nothing\)/,
  )
  writeFileSync(join(home.folder, 'config/genesis.json'), '{')
  refused({}, /has chain_id \(nothing\), the operator's genesis nodeop-/)
})

test('home: another network’s data are refused in this one’s folder', () => {
  const home = homeIn('data moved')
  writeHome(home)
  const networkId = toHex(new Uint8Array(32).fill(8))
  const other = homeIn('data taken', { genesis: { ...home.genesis, networkId } })
  writeHome(other)
  cpSync(join(home.folder, 'data'), join(other.folder, 'data'), { recursive: true })
  const message = new RegExp(`data/genesis.json has chain_id ${chainIdOf(home.genesis.networkId)}`)
  assert.throws(() => writeHome(other), { code: 'WrongEngine', message })
})

test('home: a genesis that was only laid out anew is the same', () => {
  const home = homeIn('laid out')
  writeHome(home)
  const document = json(home, 'config/genesis.json')
  writeFileSync(join(home.folder, 'config/genesis.json'), JSON.stringify(document))
  writeHome(home)
})

test('home: without the record of what was signed, a validator with a past does not start', () => {
  const home = homeIn('forgetful', { hasSigned: true })
  const message = /priv_validator_state\.json is missing.* has signed before: restore it/
  assert.throws(() => writeHome(home), { code: 'SignStateLost', message })
  assert(!existsSync(join(home.folder, 'config/priv_validator_key.json')))
})

test('home: a record of what was signed is raised beyond a height, and never lowered', () => {
  const home = homeIn('raised')
  writeHome(home)
  const path = 'data/priv_validator_state.json'
  const at = (height: number) => {
    raiseSignState(home.folder, height)
    return json(home, path)
  }
  assert.deepEqual(at(7), { height: '7', round: 2 ** 31 - 1, step: 3 })
  writeFileSync(join(home.folder, path), '{"height":"9","round":1,"step":2,"signature":"AA=="}')
  assert.equal(at(8).signature, 'AA==')
  assert.deepEqual(at(9), { height: '9', round: 2 ** 31 - 1, step: 3 })
  writeFileSync(join(home.folder, path), '{}')
  assert.deepEqual(at(3), { height: '3', round: 2 ** 31 - 1, step: 3 }, 'CometBFT reads 0')
})
