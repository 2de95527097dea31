import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createTransport } from '#consensus'
import { createGenesis, createOperators } from '#devnet'
import type { Hex } from '#primitives'
import { transportOf } from '../../test/support/embedded.ts'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { reached } from '../../test/support/waiting.ts'
import type { OperatorOptions } from './operator-parts.ts'
import { systemClock, systemRng } from './system.ts'
import { startOperator } from './wire.ts'

const root = mkdtempSync(join(tmpdir(), 'nodeop-wire-'))
after(() => rmSync(root, { recursive: true }))

/** A server that has a port already. */
let taken: Server
before(async () => {
  taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
})
after(() => taken.close())

const members = createOperators(4, systemRng)
const address: Hex = `0x${'aa'.repeat(20)}`
const genesis = createGenesis({
  operators: members,
  deployment: {
    chainId: 31_337,
    outbox: address,
    serviceManager: address,
    priceConsumer: address,
    startBlock: 1,
  },
  l1ChainId: 31_337,
  timeMs: systemClock.nowMs(),
  funded: [],
  parameters: [],
})

/** The first of four operators, alone on a folder of its own; its L1 does not answer. */
function optionsIn(folder: string): OperatorOptions {
  const [member] = members
  assert(member)
  return {
    ...{ ...member, genesis, folder: join(root, folder) },
    consensus: { engine: 'embedded', transport: createTransport() },
    ...{ l1Url: 'http://127.0.0.1:1', port: 0, feeds: [] },
    ...{ gateways: () => new Map(), clock: systemClock, rng: systemRng, logger: silentLogger },
    onFailure: (error) => assert.fail(String(error)),
  }
}

test('operator: a start that fails gives back what it took, so that the next one succeeds', async () => {
  const options = optionsIn('port')
  const { port } = taken.address() as AddressInfo
  await assert.rejects(startOperator({ ...options, port }), { code: 'PortInUse' })
  assert.deepEqual(
    transportOf(options)
      .join('0x01', () => {})
      .peers(),
    [],
  )
  const operator = await startOperator(options)
  assert.equal((await fetch(new URL('/livez', operator.url))).status, 200)
  await operator.stop()
})

test('operator: of two starts on one folder the second is refused, and the first goes on', async () => {
  const options = optionsIn('twice')
  const operator = await startOperator(options)
  await assert.rejects(startOperator(options), { code: 'FolderInUse' })
  assert.equal((await fetch(new URL('/livez', operator.url))).status, 200)
  await operator.stop()
})

test('operator: a damaged guard is refused by name each time, not as a folder in use', async () => {
  const options = optionsIn('damaged')
  await (await startOperator(options)).stop()
  writeFileSync(join(options.folder, 'guard.log'), 'what was signed is not known any more')
  for (let time = 0; time < 2; time++)
    await assert.rejects(startOperator(options), { code: 'CorruptFile' })
})

test('operator: without its blocks it names what else has to be moved away', async () => {
  const operators = genesis.operators.map((one, place) =>
    place === 0 ? { ...one, power: 1_000n * one.power } : one,
  )
  const options = { ...optionsIn('blocks'), genesis: { ...genesis, operators } } // decides alone
  const operator = await startOperator(options)
  await reached(operator, 1)
  await operator.stop()
  rmSync(join(options.folder, 'blocks.log'))
  const ledger = join(options.folder, 'ledger.sqlite')
  const isNamed = (error: Error & { code?: string }) =>
    error.code === 'StoreBehind' &&
    error.message.includes(`${join(options.folder, 'blocks.log')} ends at block 0`) &&
    error.message.includes(`or move ${ledger} with its -wal and -shm away too`)
  await assert.rejects(startOperator(options), isNamed)
})

test('operator: stopped, it has left the network, its gateway and its folder', async () => {
  const options = optionsIn('stopped')
  const operator = await startOperator(options)
  await operator.stop()
  await operator.stop()
  assert.deepEqual(
    transportOf(options)
      .join('0x01', () => {})
      .peers(),
    [],
  )
  await assert.rejects(fetch(new URL('/livez', operator.url)))
  assert.deepEqual(await operator.engine.submit(new Uint8Array([1])), {
    ok: false,
    reason: 'EngineStopped',
  })
  await (await startOperator(options)).stop()
})
