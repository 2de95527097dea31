import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeAbiParameters, keccak256, parseAbiParameters } from 'viem'
import { type Hex, toHex } from '#primitives'
import type { ServiceState } from '#protocol'
import { sequencerComputation } from '../computation.ts'
import {
  bytesOf,
  createTestChain,
  genesisTime,
  signed,
  testGenesis,
  transfer,
} from '../test-support/chain.ts'
import { decodeInput } from './computation.ts'
import { readL2Genesis } from './genesis.ts'
import { l2Head, sequencerService, sequencerSpec } from './service.ts'

const stateOf = (rows: ReadonlyMap<string, Uint8Array>): ServiceState => ({
  get: (key) => rows.get(key),
  set: (key, value) => stateOf(new Map([...rows, [key, value]])),
  delete: (key) => stateOf(new Map([...rows].filter(([name]) => name !== key))),
})

const randomness: Hex = keccak256('0x01')
const blockAt = (height: number, timeMs: number) => ({ height, timeMs, randomness })

test('service: a block of calls becomes an L2 block, a leaf and one result a call', async () => {
  const genesis = testGenesis()
  const service = sequencerService(sequencerSpec, readL2Genesis(genesis))
  const { engine } = await createTestChain(genesis)
  const before = service.initial(stateOf(new Map()), genesis)
  const calls = [await transfer(0, 0, 1), await transfer(0, 7, 1), await transfer(1, 0, 0)]
  const input = service.begin(before, blockAt(5, genesisTime * 1000 + 2999), calls.map(bytesOf))
  const output = await sequencerComputation(engine)(input)
  const { state, leaves, results } = service.end(before, output)
  assert.deepEqual(
    results.map((result) => (result.ok ? 'ok' : result.reason)),
    ['ok', 'NonceTooHigh', 'ok'],
  )
  const head = l2Head(state)
  assert.equal(head.timestamp, genesisTime + 2)
  assert.equal(head.hash, (await engine.head()).hash)
  assert.equal(leaves.length, 1)
  const [leaf] = leaves
  assert.ok(leaf)
  assert.equal(leaf.kind, 'block')
  assert.equal(leaf.subject, head.hash)
  const layout = parseAbiParameters('uint256, bytes32, bytes32, bytes32, bytes32, bytes32, uint256')
  const [number, hash, parent, stateRoot] = decodeAbiParameters(layout, leaf.body)
  assert.deepEqual([number, hash, stateRoot], [1n, head.hash, head.stateRoot])
  assert.equal(parent, l2Head(before).hash)
})

test('service: a block whose calls are all dropped changes nothing', async () => {
  const genesis = testGenesis()
  const service = sequencerService(sequencerSpec, readL2Genesis(genesis))
  const { engine } = await createTestChain(genesis)
  const before = service.initial(stateOf(new Map()), genesis)
  const input = service.begin(before, blockAt(1, 0), [bytesOf(await transfer(9, 0, 1))])
  const { state, leaves, results } = service.end(before, await sequencerComputation(engine)(input))
  assert.equal(state, before)
  assert.deepEqual(leaves, [])
  assert.equal(results[0]?.ok, false)
})

test('begin: the timestamp never falls, and rises where an engine needs it', () => {
  for (const risingTimestamps of [false, true]) {
    const genesis = testGenesis({ risingTimestamps })
    const service = sequencerService(sequencerSpec, readL2Genesis(genesis))
    const state = service.initial(stateOf(new Map()), genesis)
    const timestampAt = (timeMs: number): number =>
      decodeInput(service.begin(state, blockAt(1, timeMs), [])).context.timestamp
    const least = genesisTime + (risingTimestamps ? 1 : 0)
    assert.equal(timestampAt(0), least)
    assert.equal(timestampAt(genesisTime * 1000 + 999), least)
    assert.equal(timestampAt(genesisTime * 1000 + 5500), genesisTime + 5)
  }
})

test('check: what can never be included is refused with its reason', async () => {
  const service = sequencerService(sequencerSpec, readL2Genesis(testGenesis()))
  const good = await transfer(0, 0, 1)
  assert.deepEqual(service.check(bytesOf(good)), { ok: true })
  const reasonOf = (raw: Hex): string => {
    const verdict = service.check(bytesOf(raw))
    return verdict.ok ? 'ok' : verdict.reason
  }
  assert.equal(reasonOf('0x'), 'MalformedTransaction')
  assert.equal(reasonOf('0x03c0'), 'UnsupportedTransactionType')
  assert.equal(reasonOf(`${good}00`), 'MalformedTransaction')
  assert.equal(reasonOf(await transfer(0, 0, 1, { chainId: 1 })), 'WrongChainId')
  assert.equal(reasonOf(await transfer(0, 0, 1, { gas: 20_000n })), 'IntrinsicGasTooLow')
  assert.equal(reasonOf(await signed(0, 0, { data: '0x00', gas: 50_000n })), 'IntrinsicGasTooLow')
})

test('check: no bytes make it throw, and one changed byte never passes as the same', async () => {
  const service = sequencerService(sequencerSpec, readL2Genesis(testGenesis()))
  const good = bytesOf(await transfer(0, 0, 1))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (raw) => {
      assert.equal(typeof service.check(raw).ok, 'boolean')
    }),
  )
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const raw = good.slice()
      raw[at] = (raw[at] as number) ^ change
      const verdict = service.check(raw)
      assert.equal(typeof verdict.ok, 'boolean')
      assert.notEqual(keccak256(toHex(raw)), keccak256(toHex(good)))
    }),
  )
})

test('genesis: an unusable document names the field, its value and what is allowed', () => {
  const document = JSON.parse(new TextDecoder().decode(testGenesis()))
  const broken = { ...document, gasLimit: '5' }
  assert.throws(() => readL2Genesis(new TextEncoder().encode(JSON.stringify(broken))), {
    code: 'BadL2Genesis',
    message: 'L2 genesis: gasLimit is 5; allowed: 1000000 to 2^53 - 1',
  })
})
