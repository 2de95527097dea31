// What a real CometBFT calls, held against the grammar and decided once more.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { utf8 } from '#primitives'
import { type CallLog, emptyLog, recordCalls } from '../../../test/support/call-recorder.ts'
import { cometForTests, otherCometForTests, type TestComet } from '../../../test/support/comet.ts'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { testGenesis } from '../../../test/support/served-application.ts'
import {
  createTracingApplication,
  emptyDisk,
  type TracingDisk,
} from '../../../test/support/tracing-application.ts'
import { wallClock } from '../../../test/support/wall-clock.ts'
import { testSigner } from '../embedded/test-support/network.ts'
import type { ConsensusEngine } from '../engine/index.ts'
import { checkCalls } from '../engine/index.ts'
import { createCometEngine } from './comet-engine.ts'
import {
  type CometMempool,
  cometMempools,
  cometTimings,
  cometVersion,
  cometVersions,
} from './program/index.ts'

/** Each release with each mempool that it has. */
const programs: readonly (TestComet & { version: string; mempool: CometMempool })[] = [
  ...cometMempools.map((mempool) => ({ ...cometForTests(), version: cometVersion, mempool })),
  ...cometVersions
    .filter((version) => version !== cometVersion)
    .map((version) => ({ ...otherCometForTests(version), version, mempool: 'flood' as const })),
]
const validators = [{ consensusKey: testSigner(0).publicKey, power: 10n }]

/** A chain of one validator under CometBFT. */
async function startChain(t: TestContext, binary: string, mempool: CometMempool) {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop comet '))
  const [disk, log] = [emptyDisk(), emptyLog()]
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {}) // told to whoever waits
  const engine = createCometEngine({
    application: recordCalls(createTracingApplication(validators, disk), log),
    genesis: {
      ...{ ...testGenesis.chain, validators },
      ...{ timeMs: 1_700_000_000_000, maxTransactionBytes: 100_000 },
    },
    consensusSeed: new Uint8Array(32).fill(1),
    tryDisk: async () => {},
    signRecord: { hasBegun: () => false, begin: async () => {} },
    config: {
      ...{ moniker: 'test', mempool, timing: { ...cometTimings.lan, heartbeatMs: 100 } },
      peers: { listen: '127.0.0.1:0', persistent: [] },
    },
    ...{ folder, binary, clock: wallClock, logger: silentLogger },
    onFailure: failed.reject,
  })
  t.after(async () => {
    await engine.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  log.calls.push({ call: 'start', height: 0 })
  await engine.start()
  const reaches = (wanted: (disk: TracingDisk, log: CallLog) => boolean) =>
    Promise.race([failed.promise, whenDecided(engine, () => wanted(disk, log))])
  return { engine, disk, log, folder, reaches }
}

/** Resolves once something holds, looked at after each block. */
const whenDecided = (engine: ConsensusEngine, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const stop = engine.onDecided(() => {
      if (!holds()) return
      stop()
      resolve()
    })
  })

const pidIn = (folder: string): number =>
  Number.parseInt(readFileSync(join(folder, 'cometbft.pid'), 'utf8'), 10)

const included = ({ executed }: CallLog): number =>
  executed.flatMap(({ block }) => block.transactions).length

for (const { version, mempool, path, skip } of programs)
  test(`calls of CometBFT ${version}, mempool ${mempool}: in order, through a kill, and repeatable`, {
    skip,
  }, async (t) => {
    const { engine, disk, log, folder, reaches } = await startChain(t, path, mempool)
    const submit = (text: string) => engine.submit(utf8(text))
    for (const text of ['one', 'two', 'three']) assert.deepEqual(await submit(text), { ok: true })
    assert.deepEqual(await submit('bad'), { ok: false, reason: 'BadEncoding', detail: 'as asked' })
    await reaches(() => included(log) === 3)
    // Killed between two blocks: what it had asked is answered.
    process.kill(pidIn(folder), 'SIGKILL')
    const { height } = disk
    log.calls.push({ call: 'start', height })
    await reaches((_, { executed }) => executed.length > height)
    assert.deepEqual(await submit('four'), { ok: true })
    await reaches(() => included(log) === 4)
    await engine.stop()
    checkCalls(log.calls)
    const copy = createTracingApplication(validators)
    for (const { block, appHash } of log.executed) {
      assert.equal((await copy.finalizeBlock(block)).appHash, appHash)
      await copy.commit()
    }
    assert.deepEqual(await copy.info(), disk)
    assert.deepEqual(engine.status().height, disk.height)
  })
