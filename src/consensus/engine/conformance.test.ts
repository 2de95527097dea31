// One suite for both engines: what an application is called with, and what comes of it. Here the
// application only traces its calls; `test/golden` does the same with the operators' own, on the
// log of a real network.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { type Hex, sha256Hex, toHex, utf8 } from '#primitives'
import type { Application, DecidedBlock } from '#records'
import { emptyLog, recordCalls } from '../../../test/support/call-recorder.ts'
import { CometDriver, type CometGenesis } from '../../../test/support/comet-driver.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import {
  serve,
  testGenesis,
  testKeys,
  testValidators,
} from '../../../test/support/served-application.ts'
import {
  createTracingApplication,
  emptyDisk,
  type TracingDisk,
} from '../../../test/support/tracing-application.ts'
import { wallClock } from '../../../test/support/wall-clock.ts'
import { createSchedule } from '../core/index.ts'
import { sealBlock, toProposed, validatorsHash } from '../embedded/block.ts'
import { createMemoryBlockStore } from '../embedded/block-store.ts'
import { createEmbeddedEngine } from '../embedded/engine.ts'
import { createMemoryLog } from '../embedded/log.ts'
import type { EngineOptions } from '../embedded/runtime.ts'
import {
  createTestNetwork,
  decided,
  type TestPeer,
  testNetwork,
  testSigner,
} from '../embedded/test-support/network.ts'
import { createTransport } from '../embedded/transport.ts'
import { checkCalls } from './grammar.ts'

/** What a block is made of, before anything is decided. */
type Plan = {
  readonly transactions: readonly string[]
  readonly proposer: number
  readonly afterMs: number
  readonly misbehaviour: readonly { readonly offender: number; readonly height: number }[]
}

/** A block as the embedded engine stores it, and as any engine hands it to the application. */
type LoggedBlock = { readonly bytes: Uint8Array; readonly block: DecidedBlock }

const plans: fc.Arbitrary<Plan[]> = fc.array(
  fc.record({
    transactions: fc.array(fc.string({ minLength: 1, maxLength: 30 }), { maxLength: 4 }),
    proposer: fc.nat(3),
    afterMs: fc.integer({ min: 1, max: 5_000 }),
    misbehaviour: fc.array(
      fc.record({ offender: fc.nat(3), height: fc.integer({ min: 1, max: 9 }) }),
      {
        maxLength: 2,
      },
    ),
  }),
  { minLength: 1, maxLength: 8 },
)

const schedule = createSchedule(testValidators)
const keyOf = (index: number): Hex => testKeys[index] ?? assert.fail(`no key ${index}`)

/** Seals a plan on what came before it. */
function seal(plan: Plan, before: { block?: DecidedBlock; appHash: Hex }): LoggedBlock {
  const height = (before.block?.height ?? 0) + 1
  const conflicts = plan.misbehaviour.map(({ offender, height: of }) => {
    const vote = { step: 'prevote', height: of, round: 0, validator: keyOf(offender) } as const
    const signature: Hex = `0x${'00'.repeat(64)}`
    return {
      first: { ...vote, value: undefined, signature },
      second: { ...vote, value: keyOf(0), signature },
    }
  })
  const { bytes, block, hash } = sealBlock(
    {
      height,
      timeMs: (before.block?.timeMs ?? 1_700_000_000_000) + plan.afterMs,
      proposer: keyOf(plan.proposer),
      parent: before.block?.hash ?? testNetwork,
      appHash: before.appHash,
      validatorsHash: validatorsHash(schedule.current),
    },
    {
      lastCommit: undefined,
      transactions: plan.transactions.map(utf8),
      misbehaviour: conflicts,
    },
  )
  return { bytes, block: { ...toProposed(block), hash } }
}

/** Has an application execute plans one by one; the log of what it was given and came to. */
async function decideAll(application: Application, planned: readonly Plan[]) {
  const { appHash } = await application.initChain()
  let before: { block?: DecidedBlock; appHash: Hex } = { appHash }
  const log: (LoggedBlock & { readonly appHash: Hex })[] = []
  for (const plan of planned) {
    const logged = seal(plan, before)
    const executed = await application.finalizeBlock(logged.block)
    await application.commit()
    log.push({ ...logged, appHash: executed.appHash })
    before = { block: logged.block, appHash: executed.appHash }
  }
  return log
}

type Log = Awaited<ReturnType<typeof decideAll>>

/** Starts an embedded engine that has stored these blocks; resolves when it has recovered. */
async function replayEmbedded(application: Application, log: Log): Promise<void> {
  const blockStore = createMemoryBlockStore()
  for (const { bytes, block, appHash } of log)
    await blockStore.save({
      ...{ height: block.height, block: bytes, appHash, schedule },
      commit: { height: block.height, round: 0, value: block.hash, signatures: [] },
      validators: schedule.current,
    })
  const engine = createEmbeddedEngine({
    ...{ networkId: testNetwork, application, blockStore, signer: testSigner(9) },
    ...{ log: createMemoryLog(), transport: createTransport(), clock: wallClock },
    ...{ stateFiles: 'what the application keeps', logger: silentLogger },
  })
  await engine.start()
  await engine.stop()
}

/** Hands over what the application lacks, as CometBFT does after its handshake. */
async function replayComet(
  address: string,
  log: readonly { readonly block: DecidedBlock; readonly appHash: Hex }[],
  genesis: CometGenesis = testGenesis,
): Promise<void> {
  const comet = await CometDriver.connect(address)
  const { height } = await comet.handshake(genesis)
  for (const { block, appHash } of log.slice(height)) {
    assert.equal(await comet.judge(block), 1)
    assert.equal((await comet.finalize(block)).appHash, appHash, `app hash at ${block.height}`)
    await comet.commit()
  }
  await comet.kill()
}

test('conformance: a log gives the same app hashes under both engines, from wherever', async (t) => {
  await fc.assert(
    fc.asyncProperty(plans, fc.nat(), async (planned, at) => {
      const log = await decideAll(createTracingApplication(testValidators), planned)
      const upTo = log.slice(0, at % (log.length + 1))
      const last = log.at(-1)
      for (const replay of [
        (application: Application) => replayEmbedded(application, log),
        async (application: Application) => {
          const { server } = await serve(t, application)
          await replayComet(server.address, log)
          await server.close()
        },
      ]) {
        const disk: TracingDisk = upTo.at(-1)
          ? { height: upTo.length, appHash: upTo.at(-1)?.appHash ?? '0x' }
          : emptyDisk()
        const calls = emptyLog()
        calls.calls.push({ call: 'start', height: disk.height })
        await replay(recordCalls(createTracingApplication(testValidators, disk), calls))
        assert.deepEqual(disk, { height: log.length, appHash: last?.appHash })
        checkCalls(calls.calls)
        assert.deepEqual(
          calls.executed.map(({ appHash }) => appHash),
          log.slice(upTo.length).map(({ appHash }) => appHash),
        )
      }
    }),
    { numRuns: 30 },
  )
})

test('conformance: blocks without content leave the app hash under both engines', async (t) => {
  const empty = { transactions: [], proposer: 0, afterMs: 1000, misbehaviour: [] }
  const full = { ...empty, transactions: ['tx'] }
  const log = await decideAll(createTracingApplication(testValidators), [empty, full, empty, empty])
  const hashes = log.map(({ appHash }) => appHash)
  assert.deepEqual(new Set(hashes).size, 2)
  assert.deepEqual(hashes.slice(1), Array(3).fill(hashes[1]))
  const { server } = await serve(t, createTracingApplication(testValidators))
  await replayComet(server.address, log)
})

/** What an engine asks for in turn, while a chain of three blocks is decided. */
const steps = (log: Log) =>
  log.flatMap(({ block }) => [
    (comet: CometDriver) => comet.judge(block),
    (comet: CometDriver) => comet.finalize(block),
    (comet: CometDriver) => comet.commit(),
  ])

const threeBlocks: readonly Plan[] = [1, 2, 3].map((i) => ({
  ...{ transactions: [`tx ${i}`], proposer: i, afterMs: i * 700, misbehaviour: [] },
}))

test('conformance: CometBFT may be killed at any call, answered or not', async (t) => {
  const log = await decideAll(createTracingApplication(testValidators), threeBlocks)
  for (const [last, cut] of steps(log).entries())
    for (const isAnswered of [true, false]) {
      const disk = emptyDisk()
      const calls = emptyLog()
      const inner = createTracingApplication(testValidators, disk)
      const { server, failures } = await serve(t, recordCalls(inner, calls))
      const comet = await CometDriver.connect(server.address)
      calls.calls.push({ call: 'start', height: 0 })
      await comet.handshake(testGenesis)
      for (const step of steps(log).slice(0, last)) await step(comet)
      const asked = cut(comet).catch(() => {}) // its answer may be lost
      if (isAnswered) await asked
      await comet.kill()
      await server.close() // nothing of the first connection is under way any more
      calls.calls.push({ call: 'start', height: disk.height })
      const again = await serve(t, recordCalls(inner, calls))
      await replayComet(again.server.address, log)
      assert.deepEqual(disk, { height: 3, appHash: log[2]?.appHash })
      checkCalls(calls.calls)
      assert.deepEqual([...failures, ...again.failures], [])
    }
})

test('conformance: the application may be killed at any call, and loses what it did not commit', async (t) => {
  const log = await decideAll(createTracingApplication(testValidators), threeBlocks)
  for (let last = 0; last <= steps(log).length; last++) {
    const disk = emptyDisk()
    const first = await serve(t, createTracingApplication(testValidators, disk))
    const comet = await CometDriver.connect(first.server.address)
    await comet.handshake(testGenesis)
    for (const step of steps(log).slice(0, last)) await step(comet)
    assert.equal(disk.height, Math.floor(last / 3), 'only a commit is durable')
    await first.server.close()
    const second = await serve(t, createTracingApplication(testValidators, disk))
    await replayComet(second.server.address, log)
    assert.deepEqual(disk, { height: 3, appHash: log[2]?.appHash })
  }
})

/** An application with a transaction that waits, which fails when it is first asked for it. */
async function atALoss(validators: CometGenesis['validators']): Promise<Application> {
  const inner = createTracingApplication(validators)
  await inner.checkTransaction(utf8('tx'))
  let isFirst = true
  return {
    ...inner,
    async prepareProposal(input) {
      if (!isFirst) return inner.prepareProposal(input)
      isFirst = false
      throw new Error('a defect')
    },
  }
}

test('conformance: an application that cannot say what it wants loses a turn under both engines', async (t) => {
  const log = emptyLog()
  const validators = [{ consensusKey: testSigner(0).publicKey, power: 1n }]
  const application = recordCalls(await atALoss(validators), log)
  const { peers } = createTestNetwork({ size: 1, parts: () => ({ application }) })
  const [peer] = peers as [TestPeer]
  t.after(() => peer.engine.stop())
  await peer.engine.start()
  await decided(peer, 2)
  const [empty, full] = log.executed.map(({ block }) => block)
  assert(empty && full)
  assert.deepEqual([empty.transactions, full.transactions], [[], [utf8('tx')]])

  const { server, failures } = await serve(t, await atALoss(validators))
  const comet = await CometDriver.connect(server.address)
  await comet.handshake({ ...testGenesis, validators })
  assert.deepEqual(await comet.prepare(1), [])
  await comet.finalize(empty)
  await comet.commit()
  assert.deepEqual((await comet.prepare(2)).map(toHex), [toHex(utf8('tx'))])
  assert.deepEqual(failures, [])
})

/** Embedded engines over recorded tracing applications, all started; stopped with the test. */
async function recordedNetwork(t: TestContext) {
  const logs = [0, 1, 2, 3].map(emptyLog)
  const validators = [0, 1, 2, 3].map((i) => ({ consensusKey: testSigner(i).publicKey, power: 1n }))
  const options: EngineOptions[] = []
  const network = createTestNetwork({
    parts: (i, given) => {
      const application = recordCalls(
        createTracingApplication(validators),
        logs[i] ?? assert.fail(),
      )
      options.push({ ...given, application })
      return { application }
    },
  })
  const stop = () => Promise.all(network.peers.map(({ engine }) => engine.stop()))
  t.after(stop)
  for (const log of logs) log.calls.push({ call: 'start', height: 0 })
  await Promise.all(network.peers.map(({ engine }) => engine.start()))
  return { peers: network.peers, logs, validators, options, stop }
}

test('conformance: what embedded engines call is in order, and gives the same over ABCI', async (t) => {
  const { peers, logs, validators, stop } = await recordedNetwork(t)
  const [first] = peers as [TestPeer]
  for (let i = 0; i < 12; i++) {
    const { engine } = peers[i % 4] as TestPeer
    assert.deepEqual(await engine.submit(utf8(`tx ${i}`)), { ok: true })
    await decided(first, i + 1)
  }
  await Promise.all(peers.map((peer) => decided(peer, 13)))
  await stop()
  for (const { calls } of logs) checkCalls(calls)
  const chains = logs.map(({ executed }) => executed.slice(0, 13))
  for (const chain of chains) assert.deepEqual(chain, chains[0])
  const [chain = []] = chains
  assert.equal(chain.flatMap(({ block }) => block.transactions).length, 12)
  await sameOverAbci(t, chain, validators)
})

async function sameOverAbci(
  t: TestContext,
  chain: readonly { readonly block: DecidedBlock; readonly appHash: Hex }[],
  validators: CometGenesis['validators'],
): Promise<void> {
  const { server } = await serve(t, createTracingApplication(validators))
  await replayComet(server.address, chain, { ...testGenesis, validators })
}

test('conformance: an embedded engine that starts again calls in order', async (t) => {
  const { peers, logs, options, stop } = await recordedNetwork(t)
  const [first] = peers as [TestPeer]
  const [log] = logs
  const [given] = options
  assert(log && given)
  await decided(first, 3)
  await first.engine.stop()
  const { height } = first.engine.status()
  log.calls.push({ call: 'start', height })
  first.engine = createEmbeddedEngine({ ...given, signer: testSigner(0) })
  await first.engine.start()
  await decided(first, height + 3)
  await stop()
  checkCalls(log.calls)
  const heights = log.executed.map(({ block }) => block.height)
  assert.deepEqual(
    heights,
    heights.map((_, i) => i + 1),
  )
})

test('conformance: an app hash tells of everything that a block says', async () => {
  const base: Plan = { transactions: ['tx'], proposer: 1, afterMs: 5, misbehaviour: [] }
  const changes: readonly Plan[] = [
    base,
    { ...base, transactions: ['ty'] },
    { ...base, proposer: 2 },
    { ...base, afterMs: 6 },
    { ...base, misbehaviour: [{ offender: 1, height: 1 }] },
  ]
  const hashes = await Promise.all(
    changes.map(async (plan) => {
      const [logged] = await decideAll(createTracingApplication(testValidators), [plan])
      return sha256Hex(utf8(logged?.appHash ?? ''))
    }),
  )
  assert.equal(new Set(hashes).size, changes.length)
})
