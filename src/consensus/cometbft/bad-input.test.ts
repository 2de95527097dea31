import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sha256Hex, toHex, utf8 } from '#primitives'
import { AbciClient, type Question, questionFrame } from '../../../test/support/abci-client.ts'
import { CometDriver, initOf } from '../../../test/support/comet-driver.ts'
import {
  blockOf,
  serve,
  testGenesis,
  testValidators,
} from '../../../test/support/served-application.ts'
import { createTracingApplication, emptyDisk } from '../../../test/support/tracing-application.ts'
import { toFrame } from './frames.ts'

/** A served chain of one block, and its CometBFT. */
async function servedChain(t: Parameters<typeof serve>[0]) {
  const disk = emptyDisk()
  const served = await serve(t, createTracingApplication(testValidators, disk))
  const comet = await CometDriver.connect(served.server.address)
  await comet.handshake(testGenesis)
  await comet.finalize(blockOf(1, ['tx']))
  await comet.commit()
  return { ...served, comet, disk }
}

/** Frames that no CometBFT sends, by the reason that they are refused for. */
const badStreams: readonly (readonly [reason: string, bytes: Uint8Array])[] = [
  ['FrameTooLarge', Uint8Array.of(0x81, 0x80, 0x80, 0x40)],
  ['BadFrame', new Uint8Array(9).fill(0xff)],
  ['BadFrame', toFrame(Uint8Array.of(0x42, 0x7f, 1, 2))],
  ['BadFrame', toFrame(utf8('GET / HTTP/1.1'))],
  ['UnknownMessage', toFrame(new Uint8Array())],
  ['UnknownMessage', toFrame(Uint8Array.of(0x4a, 0))],
  ['UnknownMessage', questionFrame({ case: 'extendVote', value: { height: 2n } })],
]

test('bad input: whatever comes over a socket ends it with a reason, and nothing else', async (t) => {
  const { server, disk, nextRefusal, comet, failures } = await servedChain(t)
  const before = { ...disk }
  for (const [reason, bytes] of badStreams) {
    const client = await AbciClient.connect(server.address)
    client.send(bytes)
    assert.equal((await nextRefusal()).reason, reason)
    await client.closed
    assert.match(client.exception ?? '', new RegExp(`^${reason}: `))
  }
  assert.deepEqual([disk, failures], [before, []])
  await comet.finalize(blockOf(2))
})

test('bad input: a stream that ends inside a message has a reason too', async (t) => {
  const { server, nextRefusal } = await servedChain(t)
  for (const bytes of [Uint8Array.of(0x80), Uint8Array.of(5, 1), Uint8Array.of(0xff, 0x01)]) {
    const client = await AbciClient.connect(server.address)
    client.send(bytes)
    client.end()
    assert.equal((await nextRefusal()).reason, 'BadFrame')
    await client.closed
  }
})

test('bad input: random bytes never fail the server, nor move the ledger', async (t) => {
  const { server, disk, failures } = await servedChain(t)
  const before = { ...disk }
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
      async (parts) => {
        const client = await AbciClient.connect(server.address)
        for (const part of parts) client.send(toFrame(part))
        client.end()
        await client.closed
      },
    ),
    { numRuns: 200 },
  )
  assert.deepEqual([disk, failures], [before, []])
})

const finalizing = (height: bigint): Question => ({
  case: 'finalizeBlock',
  value: { height, proposerAddress: new Uint8Array(20) },
})

/** Calls that cannot come after the first block, before they are carried out. */
const badCalls: readonly Question[] = [
  { case: 'initChain', value: initOf(testGenesis) },
  { case: 'commit', value: {} },
  { case: 'prepareProposal', value: { height: 1n, maxTxBytes: 100n } },
  { case: 'processProposal', value: { height: 3n } },
  finalizing(1n),
  finalizing(3n),
  finalizing(-1n),
  finalizing(2n ** 63n - 1n),
]

test('bad input: a call out of order ends the connection, and the ledger stays', async (t) => {
  for (const call of badCalls) {
    const { comet, disk, nextRefusal, failures, server } = await servedChain(t)
    const before = { ...disk }
    comet.consensus.send(questionFrame(call))
    const { reason, message } = await nextRefusal()
    assert.deepEqual([reason, disk, failures], ['CallOutOfOrder', before, []], message)
    await comet.consensus.closed
    const again = await CometDriver.connect(server.address)
    assert.equal((await again.handshake(testGenesis)).height, 1)
    await again.finalize(blockOf(2))
    await again.commit()
    assert.equal(disk.height, 2)
  }
})

test('bad input: after a block only its commit comes', async (t) => {
  for (const call of [finalizing(2n), finalizing(3n), badCalls[2] as Question]) {
    const { comet, disk, nextRefusal } = await servedChain(t)
    await comet.finalize(blockOf(2, ['another']))
    comet.consensus.send(questionFrame(call))
    assert.equal((await nextRefusal()).reason, 'CallOutOfOrder')
    assert.equal(disk.height, 1)
  }
})

test('bad input: a second CometBFT may look, but not move the ledger', async (t) => {
  const { server, comet, nextRefusal, disk } = await servedChain(t)
  const other = await CometDriver.connect(server.address)
  assert.equal((await other.handshake(testGenesis)).height, 1)
  await assert.rejects(other.finalize(blockOf(2)), /TwoEngines/)
  assert.equal((await nextRefusal()).reason, 'TwoEngines')
  await comet.finalize(blockOf(2))
  await comet.commit()
  assert.equal(disk.height, 2)
})

const other = sha256Hex(utf8('another network'))
const init = initOf(testGenesis)
const wrongGeneses: readonly (readonly [field: string, change: object, theirs: string])[] = [
  ['chain_id', { chainId: 'test-chain-1' }, 'test-chain-1'],
  ['app_state.network', { appStateBytes: utf8(`{"network":"${other}"}`) }, other],
  ['app_state.network', { appStateBytes: utf8('{}') }, ''],
  ['app_state.network', { appStateBytes: utf8('{"network":{}}') }, ''],
  ['app_state.network', { appStateBytes: utf8('not json') }, ''],
  ['version.app', { consensusParams: { version: { app: 2n } } }, '2'],
  ['version.app', { consensusParams: {} }, '0'],
  ['initial_height', { initialHeight: 5n }, '5'],
  [
    'vote_extensions_enable_height',
    { consensusParams: { ...init.consensusParams, abci: { voteExtensionsEnableHeight: 1n } } },
    '1',
  ],
  ['validators', { validators: init.validators.slice(1) }, ''],
]

test('bad input: another genesis is refused, with both values in the message', async (t) => {
  const disk = emptyDisk()
  const { server, nextRefusal, failures } = await serve(
    t,
    createTracingApplication(testValidators, disk),
  )
  for (const [field, change, theirs] of wrongGeneses) {
    const client = await AbciClient.connect(server.address)
    client.send(questionFrame({ case: 'initChain', value: { ...init, ...change } }))
    const { reason, message } = await nextRefusal()
    assert.equal(reason, 'WrongGenesis')
    assert(message.includes(`${field} ${theirs}`) && message.includes("this operator's"), message)
    await client.closed
    assert.equal(client.exception, `WrongGenesis: ${message}`)
  }
  assert.deepEqual([disk, failures], [emptyDisk(), []])
  const comet = await CometDriver.connect(server.address)
  const { appHash } = await comet.handshake(testGenesis)
  assert.equal(appHash, disk.appHash)
})

test('bad input: a genesis that leaves the validators to the application is taken', async (t) => {
  const { server } = await serve(t, createTracingApplication(testValidators))
  const client = await AbciClient.connect(server.address)
  const { validators } = await client.ask({ case: 'initChain', value: { ...init, validators: [] } })
  assert.deepEqual(
    validators.map(({ pubKey, power }) => [toHex(pubKey?.sum.value ?? new Uint8Array()), power]),
    testValidators.map(({ consensusKey, power }) => [consensusKey, power]),
  )
})

test('bad input: more connections than a CometBFT opens are not taken', async (t) => {
  const { server } = await serve(t, createTracingApplication(testValidators))
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => AbciClient.connect(server.address)),
  )
  const ninth = await AbciClient.connect(server.address).catch(() => undefined)
  await ninth?.closed
  for (const client of clients)
    assert.equal((await client.ask({ case: 'echo', value: { message: 'here' } })).message, 'here')
})
