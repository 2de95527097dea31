// The recorded block log on the embedded engine's two ways to the application: what a start finds
// in the block store, and what a peer hands over. The application is the operators' own, with its
// files.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  type BlockStore,
  checkCalls,
  createEmbeddedEngine,
  createMemoryBlockStore,
  createMemoryLog,
  createSigner,
  createTransport,
  type EmbeddedEngine,
  type EngineOptions,
  openFileBlockStore,
  openFileLog,
} from '#consensus'
import { createDisk } from '#node'
import { networkId } from '#records'
import { type CallLog, emptyLog, recordCalls } from '../support/call-recorder.ts'
import { CrashedError, type FaultyDisk } from '../support/faulty-disk.ts'
import { silentLogger } from '../support/manual-clock.ts'
import { toOutcome } from '../support/outcome.ts'
import { within } from '../support/waiting.ts'
import { wallClock } from '../support/wall-clock.ts'
import { copyOf, databaseSteps, newDisk } from './disks.ts'
import { offenceIn, readGoldenLog } from './log.ts'
import { openOperator } from './operator.ts'

const golden = readGoldenLog('devnet.json.gz')
const { genesis, blocks } = golden
const network = networkId(genesis)
const offence = offenceIn(golden)
const root = mkdtempSync(join(tmpdir(), 'nodeop golden '))
const common = {
  ...{ networkId: network, transport: createTransport(), clock: wallClock, logger: silentLogger },
  ...{ stateFiles: 'the databases', timing: { gossipMs: 20 } },
}
/** Two keys without a vote: who has them only follows. */
const [peerSeed, newcomerSeed] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const

/** How an engine or an application is ended, the newest first. */
type Closing = (() => Promise<void>)[]
const closeAll = async (closing: Closing): Promise<void> => {
  for (const close of closing.splice(0)) await close()
}

/** The highest block that the peer hands out. */
let handedOut = blocks.length
/** Who has all blocks, after two starts: one before the double vote, one with the rest. */
let peer: { readonly engine: EmbeddedEngine; readonly log: CallLog }
/** A newcomer's disk with all blocks before the double vote, and how it came to them. */
let base: { readonly disk: FaultyDisk; readonly log: CallLog }

const closing: Closing = []
before(async () => {
  peer = await startPeer()
  base = { disk: newDisk(root, 'base'), log: emptyLog() }
  await live(base.disk, offence.height - 1, base.log)
})
after(async () => {
  await closeAll(closing)
  rmSync(root, { recursive: true })
})

async function startPeer() {
  const log = emptyLog()
  const operator = await openOperator({ genesis, folder: root, disk: createDisk(root) })
  closing.unshift(operator.close)
  const store = createMemoryBlockStore()
  const blockStore: BlockStore = {
    ...store,
    load: async (height) => (height > handedOut ? undefined : store.load(height)),
  }
  const start = async () => {
    log.calls.push({ call: 'start', height: operator.application.height })
    const application = recordCalls(operator.application, log)
    const parts = { application, blockStore, log: createMemoryLog() }
    const engine = createEmbeddedEngine({ ...common, ...parts, signer: createSigner(peerSeed) })
    await engine.start()
    return engine
  }
  for (const { stored } of blocks.slice(0, offence.height - 1)) await store.save(stored)
  await (await start()).stop()
  for (const { stored } of blocks.slice(offence.height - 1)) await store.save(stored)
  const engine = await start()
  closing.unshift(engine.stop)
  return { engine, log }
}

/** One life of a newcomer: until it has a height from the peer, or its disk ends it. */
async function live(disk: FaultyDisk, height: number, log: CallLog): Promise<void> {
  handedOut = height
  const closing: Closing = []
  try {
    const operator = await openOperator({ genesis, folder: disk.databaseFolder(), disk })
    closing.unshift(operator.close)
    const signer = createSigner(newcomerSeed)
    const owner = { networkId: network, validator: signer.publicKey }
    const files = {
      blockStore: await openFileBlockStore(blocksFile, network, silentLogger, disk),
      log: await openFileLog('consensus.log', owner, silentLogger, disk),
    }
    log.calls.push({ call: 'start', height: operator.application.height })
    const application = recordCalls(operator.application, log)
    await follow({ ...common, ...files, application, signer }, height, closing)
  } catch (error) {
    if (!(error instanceof CrashedError)) throw error
  } finally {
    disk.end()
    await closeAll(closing)
  }
}

const blocksFile = 'blocks.log'

/** Resolves once an engine has a height; rejects when it fails. */
async function follow(options: EngineOptions, height: number, closing: Closing): Promise<void> {
  const end = Promise.withResolvers<void>()
  const engine = createEmbeddedEngine({ ...options, onFailure: end.reject })
  closing.unshift(engine.stop)
  engine.onDecided(({ block }) => block.height >= height && end.resolve())
  await engine.start()
  if (engine.status().height >= height) end.resolve()
  await within(`height ${height}`, end.promise)
}

/** Every call is in order, and every block had the outcome that the log says. */
function holdAgainstLog({ executed, calls }: CallLog): void {
  checkCalls(calls)
  for (const { block, ...rest } of executed) {
    const { decided, outcome } = blocks[block.height - 1] ?? assert.fail()
    assert.deepEqual(block, decided)
    assert.deepEqual(toOutcome(rest), outcome, `outcome of ${block.height}`)
  }
}

const heightsOf = ({ executed }: CallLog) => executed.map(({ block }) => block.height)
const allHeights = blocks.map(({ decided }) => decided.height)

test('golden log on the embedded engine: a start executes stored blocks to the same outcomes', () => {
  holdAgainstLog(peer.log)
  assert.deepEqual(heightsOf(peer.log), allHeights)
  assert.equal(peer.engine.status().appHash, blocks.at(-1)?.outcome.appHash)
})

test('golden log on the embedded engine: blocks of a peer have the same outcomes', async () => {
  const log = { calls: [...base.log.calls], executed: [...base.log.executed] }
  const disk = copyOf(base.disk, root, 'whole')
  await live(disk, blocks.length, log)
  holdAgainstLog(log)
  assert.deepEqual(heightsOf(log), allHeights)
  const store = await openFileBlockStore(blocksFile, network, silentLogger, disk.afterKill())
  for (const { stored } of blocks)
    assert.deepEqual(await store.load(stored.height), stored, 'with who decides the next ones')
})

for (const when of ['before', 'after'] as const)
  test(`golden log on the embedded engine: power is lost ${when} any step of the block with the double vote`, async () => {
    const steps = new Set<string>()
    for (let step = 0; ; step++) {
      const log = emptyLog()
      const disk = copyOf(base.disk, root, `${when} ${step}`)
      disk.crashAt(step, when)
      await live(disk, offence.height, log)
      const endedAt = disk.endedAt()
      if (endedAt === undefined) break
      steps.add(endedAt)
      await live(disk.afterPowerCut(), offence.height + 2, log)
      holdAgainstLog(log)
      const three = [0, 1, 2].map((more) => offence.height + more)
      assert.deepEqual([...new Set(heightsOf(log))], three, endedAt)
    }
    for (const step of [...databaseSteps, `write ${blocksFile}`, `sync ${blocksFile}`])
      assert(steps.has(`${when} ${step}`), `${when} ${step}`)
  })
