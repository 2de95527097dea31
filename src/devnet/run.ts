import { join } from 'node:path'
import { findComet } from '#consensus'
import { createDisk, createLogger, openL2, systemClock, systemRng } from '#node'
import { type Disk, fromHex, type Logger } from '#primitives'
import type { Genesis, OperatorId } from '#records'
import { parametersOf } from './chaos.ts'
import { deployContracts } from './deploy.ts'
import type { Devnet, EmbeddedDevnet, Operators, Reached, Surroundings } from './devnet.ts'
import { type Adapt, EmbeddedOperators } from './embedded-operators.ts'
import { startPriceFeeds } from './feeds.ts'
import { openFolder, requireEngine, requireSize } from './folder.ts'
import { freePort } from './free-port.ts'
import { AnvilDiedError, devnetAccount, type L1Process, startL1 } from './l1.ts'
import { l1Folder } from './l1-adopt.ts'
import { anchorOf, requireAnchor } from './l1-anchor.ts'
import { openL1Link } from './l1-link.ts'
import { holdLost } from './lost-folders.ts'
import {
  createGenesis,
  createOperators,
  type DevnetOperator,
  loadSecrets,
  loadSenders,
  possessionOf,
} from './network.ts'
import { loadNetwork, type SavedNetwork, saveNetwork } from './network-file.ts'
import type { DevnetOptions } from './options.ts'
import {
  type AdaptSettings,
  createProcessOperators,
  type ReachedProcess,
} from './process-operators.ts'
import { createSlowness } from './slowness.ts'

/** Accounts of the published phrase that hold money. */
const fundedAccounts = 10

const oneEther = 10n ** 18n
/** Pay of a submission on top of its gas. */
const submissionTipWei = 10n ** 13n

/**
 * Starts L1, generates the operators' keys, deploys the contracts, and starts every operator with
 * the engine that was asked for; goes on with the network that `--data` holds, if it holds one.
 * What was opened is closed again when a step fails.
 *
 * @param say - told of each step, for people.
 * @param signal - aborted: the step at hand is the last, and it throws.
 * @throws PortInUseError, AnvilMissingError, AnvilDiedError, FolderInUseError, DataDamagedError and
 * others, one line each.
 */
export const startNetwork = (
  options: DevnetOptions,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<Devnet> =>
  options.engine === 'embedded'
    ? startDevnet(options, say, signal)
    : startProcessNetwork(options, say, signal)

/** What fault tests have otherwise. */
export type ProcessPlan = {
  readonly adapt?: AdaptSettings
  /** Operators whose first start is the test's. */
  readonly later?: readonly OperatorId[]
}

/**
 * The same, always with operators that are processes of their own.
 *
 * @throws CometMissingError too, before anything is started.
 */
export async function startProcessNetwork(
  options: DevnetOptions,
  say: (line: string) => void,
  signal?: AbortSignal,
  { adapt, later }: ProcessPlan = {},
): Promise<Devnet<ReachedProcess>> {
  const { path } = findComet(process.env.PATH ?? '')
  const gather = (around: Surroundings) => createProcessOperators(around, path, adapt)
  return openNetwork(options, say, signal, gather, later)
}

/**
 * The same, always with operators in this process.
 *
 * @param adapt - gives operators other surroundings, for fault tests.
 */
export const startDevnet = (
  options: DevnetOptions,
  say: (line: string) => void,
  signal?: AbortSignal,
  adapt: Adapt = (operator) => operator,
): Promise<EmbeddedDevnet> =>
  openNetwork(options, say, signal, async (around, opened) => {
    const { genesis, folder } = around
    const l2 = options.share
      ? await openL2({ genesis, folder, disk: createDisk(folder), keptBlocks: options.keptBlocks })
      : undefined
    if (l2) opened.push(() => l2.close())
    return new EmbeddedOperators(around, adapt, l2)
  })

/** How to close what is open, in order of opening. */
type Opened = (() => unknown)[]

async function closeAll(opened: Opened): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
}

async function openNetwork<Operator extends Reached>(
  options: DevnetOptions,
  say: (line: string) => void,
  signal: AbortSignal | undefined,
  gather: (around: Surroundings, opened: Opened) => Promise<Operators<Operator>>,
  later: readonly OperatorId[] = [],
): Promise<Devnet<Operator>> {
  const opened: Opened = []
  const step = (line: string) => {
    signal?.throwIfAborted()
    say(line)
  }
  try {
    const around = await openSurroundings(options, step, opened)
    const operators = await gather(around, opened)
    opened.push(() => operators.stopAll())
    step('starting the operators')
    const ids = around.members.map(({ id }) => id)
    await operators.start(ids.filter((id) => !later.includes(id)))
    const { genesis, l1, link, slowness, feeds, l1Lost } = around
    return {
      ...{ genesis, l1, link, slowness, feeds, l1Lost },
      operators: operators.running,
      gateways: () => [...operators.running.values()].map(({ url }) => url),
      startOperator: (id) => operators.start([id]),
      stopOperator: (id) => operators.stop(id),
      stop: () => closeAll(opened),
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

/** L1, feeds and a network in a folder: all that operators need. */
async function openSurroundings(
  options: DevnetOptions,
  say: (line: string) => void,
  opened: Opened,
): Promise<Surroundings> {
  const logger = createLogger(options.logLevel, { part: 'devnet' })
  await requirePorts(options)
  const folder = await openFolder(options.data, (close) => opened.push(close))
  const disk = createDisk(folder)
  const saved = await loadNetwork(disk)
  if (saved) requireSize(saved, options)
  if (saved) await requireEngine(disk, options)
  const feeds = await startPriceFeeds({ seed: options.seed })
  opened.push(() => feeds.close())
  say(
    saved ? 'going on with the network of the folder; starting L1 (anvil)' : 'starting L1 (anvil)',
  )
  const stateDir = options.data === undefined ? undefined : join(folder, l1Folder)
  const { l1, l1Lost } = await openL1(logger, stateDir, opened)
  if (saved) await requireAnchor(l1.url, saved.anchor, folder)
  // On CometBFT it would wait for ever where nobody has begun: keys without a guard are refused.
  if (saved && options.engine === 'embedded' && !options.init)
    await holdLost(disk, saved.members, logger)
  const made = saved ?? (await makeNetwork({ options, say, l1, l1Lost, disk }))
  const { genesis, members } = made
  const link = options.chaos.includes('l1-down') ? await openL1Link(l1.url) : undefined
  if (link) opened.push(() => link.close())
  const slowness = createSlowness(systemClock.nowMs)
  const network = { members, genesis, folder, isNew: !saved }
  return { options, ...network, feeds, l1, l1Lost, link, slowness, logger }
}

/** A network of the size that was asked for, in a folder that holds none. */
async function makeNetwork(parts: {
  readonly options: DevnetOptions
  readonly say: (line: string) => void
  readonly l1: L1Process
  readonly l1Lost: Promise<never>
  readonly disk: Disk
}): Promise<SavedNetwork> {
  const { options, say, l1, l1Lost, disk } = parts
  say(`generating the group key of ${options.operators} operators`)
  const members = createOperators(options.operators, systemRng)
  say('deploying the contracts')
  const genesis = await Promise.race([deployNetwork(options, members, l1), l1Lost])
  const anchor = await anchorOf(l1.url, genesis.l1StartBlock)
  const network = { genesis, members, anchor }
  await saveNetwork(disk, network)
  return network
}

/** @throws PortInUseError before anything is started, so that nothing has to be undone. */
async function requirePorts({ port, operators }: DevnetOptions): Promise<void> {
  if (port > 0) for (let place = 0; place < operators; place++) await freePort(port + place)
}

async function openL1(logger: Logger, stateDir: string | undefined, opened: Opened) {
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => {}) // whoever needs L1 waits for this too; alone it is no failure
  const onExit = (said: string) =>
    lost.reject(
      new AnvilDiedError(`anvil, the devnet's L1, ended by itself${said && `: ${said}`}`, { said }),
    )
  const folder = stateDir === undefined ? {} : { stateDir }
  const l1 = await startL1({ logger, accounts: fundedAccounts, onExit, ...folder })
  opened.push(() => l1.stop())
  return { l1, l1Lost: lost.promise }
}

/**
 * Deploys the contracts for these operators, funds their accounts, and puts the genesis together.
 *
 * @throws DeployFailedError
 */
export async function deployNetwork(
  options: Pick<DevnetOptions, 'chaos' | 'data'>,
  members: readonly DevnetOperator[],
  l1: L1Process,
): Promise<Genesis> {
  const { groupKey, prove } = possessionOf(members, systemRng)
  const deployment = await deployContracts({
    rpcUrl: l1.url,
    deployerKey: devnetAccount(0).privateKey,
    groupKey,
    possession: (outbox) => prove({ l1ChainId: l1.chainId, outbox }),
    operators: members.map(({ id, identity }) => ({
      operator: id,
      ledger: identity.ledgerAddress,
      submitter: identity.l1Account,
    })),
    tipWei: submissionTipWei,
    fundWei: { outbox: 100n * oneEther, service: 100n * oneEther, submitter: 10n * oneEther },
  })
  const published = Array.from({ length: fundedAccounts }, (_, i) =>
    fromHex(devnetAccount(i).privateKey),
  )
  return createGenesis({
    operators: members,
    deployment,
    l1ChainId: l1.chainId,
    timeMs: systemClock.nowMs(),
    funded: [...published, ...loadSecrets(loadSenders)],
    parameters: parametersOf(options),
  })
}
