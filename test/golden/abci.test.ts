// The recorded block log of one engine, decided once more by the other: CometBFT's socket, and the
// operators' own application with its files behind it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type AbciServer,
  type ConsensusDecision,
  checkCalls,
  serveApplication,
  validatorAddress,
} from '#consensus'
import { createDisk } from '#node'
import type { Disk, Hex } from '#primitives'
import { networkId } from '#records'
import { emptyLog, recordCalls } from '../support/call-recorder.ts'
import { CometDriver, type LastCommit } from '../support/comet-driver.ts'
import { CrashedError, type FaultyDisk } from '../support/faulty-disk.ts'
import { silentLogger } from '../support/manual-clock.ts'
import { copyOf, databaseSteps, newDisk } from './disks.ts'
import { type GoldenBlock, offenceIn, readGoldenLog } from './log.ts'
import { openOperator, type ReplayingOperator } from './operator.ts'

const golden = readGoldenLog('devnet.json.gz')
const { genesis, validators, blocks } = golden
const offence = offenceIn(golden)
const chain = { networkId: networkId(genesis), appVersion: 1 }

/** An operator's process, and the CometBFT that has connected to it. */
type Pair = {
  readonly operator: ReplayingOperator
  readonly server: AbciServer
  readonly comet: CometDriver
  /** Where the application stands, as it has told CometBFT. */
  readonly info: { readonly height: number; readonly appHash: Hex }
}

/** What outlives the processes. */
type Place = { readonly folder: string; readonly disk: Pick<Disk, 'commit'> }

/** A folder that goes with the test. */
function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop golden '))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Both processes, each of which can end and begin again. */
function createProcesses(t: TestContext) {
  t.after(() => endBoth()) // before its folders go
  const socket = { path: join(folderOf(t), 'abci.sock') }
  const log = emptyLog()
  const decisions: ConsensusDecision[] = []
  let running: Pair | undefined
  const connect = async ({ operator, server }: Omit<Pair, 'comet' | 'info'>): Promise<Pair> => {
    log.calls.push({ call: 'start', height: operator.application.height })
    const comet = await CometDriver.connect(server.address)
    running = { operator, server, comet, info: await comet.handshake({ chain, validators }) }
    return running
  }
  const endBoth = async () => {
    await running?.comet.kill()
    await running?.server.close()
    await running?.operator.close()
    running = undefined
  }
  return {
    log,
    decisions,
    /** CometBFT alone begins anew. */
    async restartComet(pair: Pair): Promise<Pair> {
      await pair.comet.kill()
      return connect(pair)
    },
    /** Both do, on what outlives them. */
    async restart(place: Place): Promise<Pair> {
      await endBoth()
      const operator = await openOperator({ genesis, ...place })
      const server = await serveApplication({
        ...{ application: recordCalls(operator.application, log), chain, mempool: 'app' },
        ...{ listen: socket, logger: silentLogger },
        onDecided: (decision) => decisions.push(decision),
        onFailure: (error) => assert(error instanceof CrashedError, String(error)),
      })
      return connect({ operator, server })
    },
  }
}

/** The precommits that a block carries, of all who could have given one. */
function lastCommitOf({ decided, lastCommit }: GoldenBlock): LastCommit {
  const before = blocks[decided.height - 2]
  const signed = new Set(lastCommit?.signatures.map(({ validator }) => validator))
  const votes = before?.stored.validators.members.map(({ consensusKey, power }) => ({
    validator: { consensusKey, power },
    vote: signed.has(consensusKey) ? ('commit' as const) : ('absent' as const),
  }))
  return { round: lastCommit?.round ?? 0, votes: votes ?? [] }
}

/** Decides a block, and holds what comes of it against the log. */
async function decide({ comet }: Pair, block: GoldenBlock): Promise<void> {
  const { decided, outcome } = block
  const { height } = decided
  const lastCommit = lastCommitOf(block)
  assert.equal(await comet.judge(decided, lastCommit), 1, `proposal ${height} is good`)
  assert.deepEqual(await comet.finalize(decided, lastCommit), outcome, `outcome of ${height}`)
}

/** Where processes end once: from the block before the double vote until what it does acts. */
const isFragile = (height: number): boolean =>
  height === 1 || (height >= offence.height - 1 && height <= offence.height + 2)

test('golden log over ABCI: the same outcome at every height, whichever process ends when', async (t) => {
  const { log, decisions, restart: restartOn, restartComet } = createProcesses(t)
  const folder = folderOf(t)
  const restart = () => restartOn({ folder, disk: createDisk(folder) })
  let pair = await restart()
  let { appHash } = pair.info
  for (const block of blocks) {
    const { height } = block.decided
    const before = { height: height - 1, appHash }
    if (height === offence.height) {
      const { appHash: other } = await pair.comet.finalize({ ...block.decided, misbehaviour: [] })
      assert.notEqual(other, block.outcome.appHash, 'the double vote counts')
      pair = await restartComet(pair)
    }
    if (isFragile(height)) {
      // What is finalized is not committed yet: it is handed over again.
      for (const again of [() => restartComet(pair), restart]) {
        await decide(pair, block)
        pair = await again()
        assert.deepEqual(pair.info, before)
      }
    }
    const { ledger } = pair.operator.application
    await decide(pair, block)
    await pair.comet.commit()
    if (block.decided.transactions.length + block.decided.misbehaviour.length === 0) {
      assert.equal(block.outcome.appHash, appHash, `block ${height} is empty`)
      assert.equal(pair.operator.application.ledger, ledger)
    }
    ;({ appHash } = block.outcome)
    if (!isFragile(height)) continue
    pair = await restart()
    assert.deepEqual(pair.info, { height, appHash })
  }
  checkCalls(log.calls)
  holdAgainstCommits(decisions)
})

/** What the operator is told of the votes on each block, by the next one. */
function holdAgainstCommits(decisions: readonly ConsensusDecision[]): void {
  assert.equal(decisions.length, blocks.length)
  for (const [place, { block, previousRound, previousSigners }] of decisions.entries()) {
    const { decided, lastCommit } = blocks[place] ?? assert.fail()
    assert.deepEqual(block, decided)
    assert.equal(previousRound, lastCommit?.round ?? 0)
    const signers = lastCommit?.signatures.map(({ validator }) => validatorAddress(validator))
    assert.deepEqual(previousSigners, signers ?? [])
  }
}

/** A disk with all blocks before the double vote. */
async function diskBefore(root: string): Promise<FaultyDisk> {
  const disk = newDisk(root, 'base')
  const { application, close } = await openOperator({
    ...{ genesis, disk, folder: disk.databaseFolder() },
  })
  for (const { decided } of blocks.slice(0, offence.height - 1)) {
    await application.finalizeBlock(decided)
    await application.commit()
  }
  disk.end()
  await close()
  return disk
}

test('golden log over ABCI: power is lost at any step of the block with the double vote', async (t) => {
  const { log, restart } = createProcesses(t)
  const root = folderOf(t)
  const base = await diskBefore(root)
  /** Hands over what the application lacks, up to a height. */
  const handOver = async (disk: FaultyDisk, height: number) => {
    const pair = await restart({ disk, folder: disk.databaseFolder() })
    for (const block of blocks.slice(pair.info.height, height)) {
      await decide(pair, block)
      await pair.comet.commit()
    }
    return pair.info
  }
  for (const step of databaseSteps)
    for (const when of ['before', 'after'] as const) {
      log.calls.length = 0
      const disk = copyOf(base, root, `${when} ${step}`)
      disk.crashAt(step, when)
      await assert.rejects(handOver(disk, offence.height), /^Error: ended/)
      assert.equal(disk.endedAt(), `${when} ${step}`)
      const { height } = await handOver(disk.afterPowerCut(), offence.height + 2)
      assert(height === offence.height || height === offence.height - 1)
      if (step === 'sync ledger.sqlite' && when === 'after') assert.equal(height, offence.height)
      checkCalls(log.calls)
    }
})
