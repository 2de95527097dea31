import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { getContractAddress } from 'viem'
import { fromHex, type Hex, toHex } from '#primitives'
import { readL2Genesis } from '../state/genesis.ts'
import {
  addressOf,
  bytesOf,
  contextAt,
  signed,
  testGenesis,
  transfer,
} from '../test-support/chain.ts'
import { type QueryBounds, queryBounds } from './query-client.ts'
import type { CallMessage, CallResult, Engine } from './types.ts'
import { createWorkerEngine } from './worker-client.ts'
import { EngineWorkerError } from './worker-protocol.ts'

const recoverModule = new URL('../test-support/recover-module.ts', import.meta.url).href
const latest = { by: 'latest' } as const

/** JUMPDEST PUSH0 JUMP. */
const endless: CallMessage = { data: fromHex('0x5b5f56'), gas: 30_000_000n }

/** One message to the precompile of EIP-152, a gas unit a round: nothing can stop it midway. */
const blake2 = (rounds: number): CallMessage => ({
  to: '0x0000000000000000000000000000000000000009',
  data: fromHex(`0x${rounds.toString(16).padStart(8, '0')}${'00'.repeat(208)}01`),
})

/** Calls itself four times, without a JUMPDEST: ADDRESS GAS STATICCALL. */
const recursiveRuntime = '5f5f5f5f305afa50'.repeat(4)
const recursiveInitcode = `0x7f${recursiveRuntime}5f5260205ff3` as const
const recursive: CallMessage = { to: getContractAddress({ from: addressOf(0), nonce: 0n }) }

const anyLogs = { fromBlock: 0, toBlock: 9, addresses: [], topics: [] }

/** Returns the number of its block. */
const numberCall: CallMessage = { data: fromHex('0x435f5260205ff3') }

const numberOf = (result: CallResult | undefined): number => {
  assert.equal(result?.status, 'returned')
  return Number(BigInt(toHex(result.data)))
}

async function openEngine(t: TestContext, changes: Partial<QueryBounds> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-queries-'))
  const genesis = testGenesis()
  const store = { file: join(folder, 'l2.sqlite'), durable: false }
  const engine = await createWorkerEngine(
    { genesis, store, recoverModule },
    { ...queryBounds, ...changes },
  )
  t.after(async () => {
    await engine.close()
    rmSync(folder, { recursive: true })
  })
  return { engine, first: readL2Genesis(genesis).hash, file: store.file }
}

/** Executes one transfer a block. */
async function extend(engine: Engine, count: number): Promise<void> {
  for (let i = 0; i < count; i++)
    await execute(engine, await transfer(0, (await engine.head()).header.number, 1))
}

async function execute(engine: Engine, raw: Hex): Promise<void> {
  const { hash, header } = await engine.head()
  const height = header.number + 1
  await engine.execute(height, contextAt(height, hash), [bytesOf(raw)])
}

/** How each ended: the codes of the errors, or what it gave. */
const endings = async (all: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(all)).map((one) =>
    one.status === 'rejected' ? (one.reason as { code: string }).code : one.value,
  )

test('queries: blocks are built while endless calls wait, and the end waits for none', async (t) => {
  const { engine } = await openEngine(t, { timeoutMs: 600_000 })
  let answered = 0
  const calls = Array.from({ length: 40 }, () =>
    engine.call(endless, latest).finally(() => answered++),
  )
  const ended = endings(calls)
  await extend(engine, 5)
  assert.equal((await engine.head()).header.number, 5)
  assert(answered < 40, 'calls still wait when the fifth block is there')
  const before = answered
  await engine.close()
  const codes = await ended
  assert(codes.filter((code) => code === 'EngineFailed').length >= 40 - before - 1)
  await assert.rejects(engine.call(numberCall, latest), { code: 'EngineFailed' })
})

test('queries: one sees a block from the moment in which it is executed', async (t) => {
  const { engine } = await openEngine(t)
  for (let number = 1; number <= 5; number++) {
    await extend(engine, 1)
    assert.equal(numberOf(await engine.call(numberCall, latest)), number)
  }
  const ref = { by: 'number', number: 2 } as const
  assert.equal(numberOf(await engine.call(numberCall, ref)), 2)
  assert.equal(await engine.call(numberCall, { by: 'number', number: 6 }), undefined)
})

test('queries: one that takes too long ends, and the next has its turn', async (t) => {
  const { engine } = await openEngine(t, { timeoutMs: 400, graceMs: 600_000 })
  await execute(engine, await signed(0, 0, { data: recursiveInitcode, gas: 200_000n }))
  const late = { code: 'QueryTimedOut', message: 'execution aborted (timeout = 0.4s)' }
  for (const long of [endless, recursive]) {
    await assert.rejects(engine.call(long, latest), late)
    assert.equal(numberOf(await untilAnswered(() => engine.call(numberCall, latest))), 1)
  }
  await assert.rejects(engine.estimateGas(endless, latest), late)
})

test('queries: a thread that does not hear is ended, and another takes its place', async (t) => {
  const { engine } = await openEngine(t, { timeoutMs: 400, graceMs: 10 })
  await untilAnswered(() => engine.call(numberCall, latest))
  await assert.rejects(engine.call(blake2(29_900_000), latest), { code: 'QueryTimedOut' })
  assert.equal(numberOf(await untilAnswered(() => engine.call(numberCall, latest))), 0)
})

test('queries: above those that may wait they are refused, whose client has gone make room', async (t) => {
  const { engine } = await openEngine(t, { waiting: 2, timeoutMs: 600_000 })
  const gone = new AbortController()
  const ended = endings([1, 2, 3, 4].map(() => engine.call(endless, latest, gone.signal)))
  await assert.rejects(engine.logs(anyLogs), { code: 'TooManyQueries' })
  gone.abort(new EngineWorkerError('has gone', { cause: 'Gone', details: {} }))
  assert.equal(numberOf(await engine.call(numberCall, latest)), 0)
  const all = ['EngineFailed', 'EngineFailed', 'EngineFailed', 'TooManyQueries']
  assert.deepEqual(await ended, all)
  await assert.rejects(engine.call(numberCall, latest, gone.signal), { message: 'has gone' })
})

const onLinux = { skip: process.platform !== 'linux' }
test('queries: a process that has given up more priority answers them', onLinux, async (t) => {
  const { file } = await openEngine(t)
  // Whoever may have priority back is made one who may not.
  const bounded = ['setpriv', '--bounding-set', '-sys_nice']
  const isBoundable = spawnSync('setpriv', [...bounded.slice(1), 'true']).status === 0
  const program = join(import.meta.dirname, '../test-support/one-query.ts')
  const line = [...(isBoundable ? bounded : []), process.execPath, program, file]
  const { stdout, stderr } = spawnSync(line[0] as string, line.slice(1), {
    input: testGenesis(),
    encoding: 'utf8',
  })
  assert.equal(stdout, `0x${'07'.padStart(64, '0')}`, stderr)
})

/** Asks until it is answered in time: a thread that starts takes its time too. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (let turn = 0; ; turn++)
    try {
      return await ask()
    } catch (error) {
      if (turn === 100) throw error
    }
}
