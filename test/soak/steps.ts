// One operator of a running network loses its power at every durable step of its life, one after
// another, and starts again from what its disk still holds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import {
  type Adapt,
  createLoad,
  devnetAccount,
  type EmbeddedDevnet,
  l2ChainId,
  loadSecrets,
  loadSenders,
  parseDevnetOptions,
  startDevnet,
  startLoad,
} from '#devnet'
import { l2File, ledgerFile, loadSecp256k1, systemClock } from '#node'
import { assert, type Hex, type Logger, toHex } from '#primitives'
import type { Ledger } from '#protocol'
import { networkId } from '#records'
import { embeddedStatus, transportOf } from '../support/embedded.ts'
import { createFaultyDatabases } from '../support/faulty-databases.ts'
import {
  CrashedError,
  createFaultyDisk,
  type FaultyDisk,
  type When,
} from '../support/faulty-disk.ts'
import { silentLogger } from '../support/manual-clock.ts'
import { createSigningChecker } from '../support/signing-checker.ts'
import { patienceMs } from '../support/waiting.ts'
import { openL1Witness } from './l1-witness.ts'
import { createTap } from './tap.ts'

/** What became of a run of crashes. */
export type StepsReport = {
  readonly crashes: number
  /** Kinds of steps that a crash came at. */
  readonly places: readonly string[]
  /** Positions signed, by purpose. */
  readonly signed: Readonly<Record<'vote' | 'report' | 'nonce' | 'transaction', number>>
  /** Double signatures, and app hashes that differ from the network's. */
  readonly problems: readonly string[]
}

/**
 * A crash: at which step of a life, counted from 0 or the first of a name, on which side, and what
 * the disk keeps.
 */
export type Crash = {
  readonly step: number | string
  readonly when: When
  readonly end: 'afterPowerCut' | 'afterKill'
}

/** Every way to crash at each of the first so many steps. */
export const crashesUpTo = (steps: number): readonly Crash[] =>
  Array.from({ length: steps }, (_, step) => step).flatMap(everyWay)

/** Every way to crash in the first commit of each database. */
export const crashesAtCommits: readonly Crash[] = [ledgerFile, l2File]
  .flatMap((file) => [`commit ${file}`, `sync ${file}`])
  .flatMap(everyWay)

function everyWay(step: Crash['step']): readonly Crash[] {
  return (['before', 'after'] as const).flatMap((when) =>
    (['afterPowerCut', 'afterKill'] as const).map((end) => ({ step, when, end })),
  )
}

/** The one that crashes. */
const victim = 4

/**
 * Runs a network of four under load, and crashes one of them as told, one crash after another.
 *
 * @param progress - told after each crash.
 */
export async function crashAtSteps(
  crashes: readonly Crash[],
  seed: number,
  progress: (done: number, of: number) => void = () => {},
): Promise<StepsReport> {
  const checker = createSigningChecker()
  const tap = createTap(checker.signed)
  let l1Url = ''
  const l1 = await openL1Witness(() => l1Url, checker)
  const places = new Set<string>()
  const problems: string[] = []
  const root = mkdtempSync(join(tmpdir(), 'nodeop-steps-'))
  let disk = createFaultyDisk(seed, undefined, createFaultyDatabases(root))
  const warn: Logger['warn'] = (message) => {
    if (message.includes('made again from the blocks')) problems.push(message)
  }
  const adapt: Adapt = (operator) => {
    if (operator.id !== victim) return operator
    l1Url = operator.l1Url
    const transport = tap.through(transportOf(operator))
    return {
      ...{ ...operator, disk, folder: disk.databaseFolder() },
      consensus: { engine: 'embedded', transport },
      l1Url: l1.url,
      logger: { ...silentLogger, warn },
    }
  }
  const raw = { operators: '4', port: '0', logLevel: 'silent', seed: String(seed) }
  const devnet = await startDevnet(parseDevnetOptions(raw, '.'), () => {}, undefined, adapt)
  const load = loadOn(devnet)
  try {
    const follow = followHashes(devnet, tap.learn)
    await startLoad(load)
    for (const [done, crash] of crashes.entries()) {
      await restart(devnet, () => {
        disk.end()
        disk = disk[crash.end]()
        disk.crashAt(crash.step, crash.when)
      })
      await ended(disk)
      places.add((disk.endedAt() ?? '').replace(/\d+/g, 'N'))
      progress(done + 1, crashes.length)
    }
    await restart(devnet, () => {
      disk.end()
      disk = disk.afterPowerCut()
    })
    await load.stop()
    problems.push(...(await compare(devnet, follow)))
  } finally {
    await load.stop()
    await devnet.stop()
    await l1.close()
    rmSync(root, { recursive: true, force: true })
  }
  const { seen, violations } = checker
  return {
    crashes: crashes.length,
    places: [...places].sort(),
    signed: {
      ...{ vote: seen('vote'), report: seen('report') },
      ...{ nonce: seen('nonce'), transaction: seen('transaction') },
    },
    problems: [...violations, ...problems],
  }
}

/**
 * Starts the victim on what its disk holds after the change; a crash at the start is no failure.
 */
async function restart(devnet: EmbeddedDevnet, change: () => void): Promise<void> {
  change()
  await devnet.stopOperator(victim)
  try {
    await devnet.startOperator(victim)
  } catch (error) {
    if (!isCrash(error)) throw error
  }
}

const isCrash = (error: unknown): boolean =>
  error instanceof CrashedError || (error instanceof Error && isCrashCause(error.cause))
const isCrashCause = (cause: unknown): boolean => cause !== undefined && isCrash(cause)

/** Resolves when the disk has ended its process. */
async function ended(disk: FaultyDisk): Promise<void> {
  const deadlineMs = systemClock.nowMs() + patienceMs
  while (!disk.hasEnded()) {
    assert(systemClock.nowMs() < deadlineMs, 'an operator that runs comes to its next durable step')
    await pass(10)
  }
}

const loadOn = (devnet: EmbeddedDevnet) =>
  createLoad({
    gateways: devnet.gateways().slice(0, 3),
    l2ChainId,
    senders: loadSecrets(loadSenders).map(toHex),
    taskClient: devnetAccount(9).privateKey,
    networkId: networkId(devnet.genesis),
    rate: 5,
    symbols: ['ETH/USD'],
    sign: loadSecp256k1().sign,
    clock: systemClock,
    logger: silentLogger,
  })

type Hashes = ReadonlyMap<number, Hex>

/** App hash by height, as an operator that never crashes has it. */
function followHashes(devnet: EmbeddedDevnet, learn: (ledger: Ledger) => void): Hashes {
  const hashes = new Map<number, Hex>()
  const steady = devnet.operators.get(1)
  steady?.application.onCommitted(({ block, after, appHash }) => {
    hashes.set(block.height, appHash)
    learn(after)
  })
  return hashes
}

/** The victim catches up, and has the network's app hash at the height it has come to. */
async function compare(devnet: EmbeddedDevnet, hashes: Hashes): Promise<readonly string[]> {
  const goal = Math.max(0, ...hashes.keys())
  const deadlineMs = systemClock.nowMs() + patienceMs
  for (;;) {
    const operator = devnet.operators.get(victim)
    if (!operator) return ['the crashed operator is not there']
    const { height, appHash } = await operator.application.info()
    const expected = hashes.get(height) ?? appHash
    if (appHash !== expected) return [`app hash at ${height}: ${appHash}, not ${expected}`]
    if (height >= goal) return []
    if (systemClock.nowMs() > deadlineMs)
      return [`it stays at ${height} of ${goal}, ${embeddedStatus(operator).phase}`]
    await pass(100)
  }
}
