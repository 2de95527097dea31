import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { toHex } from '#primitives'
import { priceSpec } from '#services/price'
import { writeL2Genesis } from '#services/sequencer'
import { committedBlocks } from '../../test/support/committed-blocks.ts'
import { idealCrypto } from '../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../test/support/ledger-network.ts'
import { createDisk } from './disk.ts'
import { createPassedCalls } from './passed-calls.ts'
import {
  findTransaction,
  hostSequencer,
  type L2,
  l2BlockOf,
  openL2,
  shareL2,
} from './sequencer-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'nodeop-l2-'))
const disk = createDisk(folder)
after(() => rmSync(folder, { recursive: true }))

const network = new LedgerNetwork(4, {}, idealCrypto)
const spec = { ...priceSpec, name: 'sequencer', mode: 'replicated', rule: 'replicated' } as const
const feeRecipient = `0x${'11'.repeat(20)}` as const
const state = writeL2Genesis({
  chainId: 7,
  timestamp: 1,
  feeRecipient,
  balances: [],
})
const genesis = { ...network.genesis, services: [{ spec, state }] }

test('sequencer host: without a sequencer in the genesis there is none', async () => {
  assert.equal(await openL2({ genesis: network.genesis, folder, disk }), undefined)
  assert.equal(hostSequencer(network.genesis, undefined, createPassedCalls()), undefined)
})

test('sequencer host: only its owner may read the store', async (t) => {
  const own = mkdtempSync(join(tmpdir(), 'nodeop-l2-'))
  t.after(() => rmSync(own, { recursive: true }))
  const l2 = await openL2({ genesis, folder: own, disk })
  const modes = readdirSync(own)
    .sort()
    .map((name) => [name, statSync(join(own, name)).mode & 0o777])
  await l2?.close()
  assert.deepEqual(
    modes,
    ['l2.sqlite', 'l2.sqlite-shm', 'l2.sqlite-wal'].map((name) => [name, 0o600]),
  )
})

test('sequencer host: the store of another network is refused by its name', async (t) => {
  const other = mkdtempSync(join(tmpdir(), 'nodeop-l2-'))
  t.after(() => rmSync(other, { recursive: true }))
  await (await openL2({ genesis, folder: other, disk }))?.close()
  const state = writeL2Genesis({ ...{ chainId: 8, timestamp: 1, balances: [] }, feeRecipient })
  const foreign = { ...genesis, services: [{ spec, state }] }
  await assert.rejects(openL2({ genesis: foreign, folder: other, disk }), {
    code: 'WrongFile',
    message: /^\/.*l2\.sqlite belongs to another network, or to another version: give the operator/,
  })
})

test('sequencer host: starts from its genesis; what is malformed is refused and not remembered', async () => {
  const l2 = (await openL2({ genesis, folder, disk })) ?? assert.fail()
  try {
    const passed = createPassedCalls()
    const host = hostSequencer(genesis, l2, passed) ?? assert.fail()
    assert.equal(host.chainId, 7)
    assert.equal((await host.engine.head()).header.number, 0)
    const payload = new Uint8Array([1, 2, 3])
    const verdict = await host.callPool.admit(payload)
    assert.equal(verdict.ok ? 'taken' : verdict.reason, 'MalformedTransaction')
    const asked = { ok: false, reason: 'asked' } as const
    assert.equal(
      passed.judge('sequencer', payload, () => asked),
      asked,
    )
    assert.deepEqual([host.callPool.executable(), host.callPool.bytes()], [0, 0])
    const nobodys = toHex(new Uint8Array(32))
    assert.equal(await findTransaction(host, nobodys, () => undefined), undefined)
    const ended = await findTransaction(host, nobodys, () => 'NonceTooLow')
    assert.deepEqual(ended, { state: 'ended', reason: 'NonceTooLow' })
  } finally {
    await l2.close()
  }
})

test('sequencer host: operators that share an engine compute each input once', async () => {
  const inputs: number[] = []
  const own = {
    compute: async (input: Uint8Array) => {
      inputs.push(input[0] ?? 0)
      return input
    },
    close: async () => assert.fail('it is not theirs to close'),
  } as unknown as L2
  const shared = shareL2(own)
  const outputs = await Promise.all([1, 2, 1].map((byte) => shared.compute(new Uint8Array([byte]))))
  assert.deepEqual(inputs, [1, 2])
  assert.deepEqual(outputs[0], outputs[2])
  await shared.close()
})

test('sequencer host: a block that leaves the L2 alone makes no L2 block', () => {
  network.block()
  const [committed] = committedBlocks(network)
  assert.equal(committed && l2BlockOf(committed), undefined)
})

test('sequencer host: a shared computation that failed runs again for who asks later', async () => {
  let runs = 0
  const compute = async () => {
    runs += 1
    if (runs === 1) throw new Error('the first fails')
    return Uint8Array.of(runs)
  }
  const shared = shareL2({ compute } as unknown as L2) // only its computation is asked here
  const input = Uint8Array.of(1)
  const asked = await Promise.allSettled([shared.compute(input), shared.compute(input)])
  assert.deepEqual(
    asked.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await shared.compute(input), Uint8Array.of(2))
  assert.equal(runs, 2)
})
