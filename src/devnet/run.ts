import { join } from 'node:path'
import { createTransport, type Transport } from '#consensus'
import {
  createDisk,
  createLogger,
  type L2,
  type OperatorOptions,
  openL2,
  type RunningOperator,
  shareL2,
  startOperator,
} from '#node'
import { type Disk, fromHex, type Logger } from '#primitives'
import type { Genesis, OperatorId } from '#records'
import { parametersOf, troublesOf } from './chaos.ts'
import { systemClock, systemRng } from './clock.ts'
import { deployContracts } from './deploy.ts'
import { type PriceFeeds, startPriceFeeds } from './feeds.ts'
import { openFolder, requireSize } from './folder.ts'
import { AnvilDiedError, devnetAccount, freePort, type L1Process, startL1 } from './l1.ts'
import { anchorOf, requireAnchor } from './l1-anchor.ts'
import { type L1Link, openL1Link } from './l1-link.ts'
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

/** Accounts of the published phrase that hold money. */
const fundedAccounts = 10

const oneEther = 10n ** 18n
/** Pay of a submission on top of its gas. */
const submissionTipWei = 10n ** 13n

/** A running network on one machine. */
export type Devnet = {
  readonly genesis: Genesis
  readonly l1: L1Process
  /** With chaos `l1-down`: what the operators reach L1 by. */
  readonly link: L1Link | undefined
  readonly feeds: PriceFeeds
  readonly operators: ReadonlyMap<OperatorId, RunningOperator>
  readonly gateways: () => readonly string[]
  /** Rejects when L1 ends by itself: nothing that is accepted can come to it any more. */
  readonly l1Lost: Promise<never>
  /** Ends one operator, and starts it again on its folder. */
  stopOperator(id: OperatorId): Promise<void>
  startOperator(id: OperatorId): Promise<void>
  /** Ends everything; the folder of a network without `--data` goes with it. */
  stop(): Promise<void>
}

/**
 * Starts L1, generates the operators' keys, deploys the contracts, and starts every operator; goes
 * on with the network that `--data` holds, if it holds one. What was opened is closed again when a
 * step fails.
 *
 * @param say - told of each step, for people.
 * @param signal - aborted: the step at hand is the last, and it throws.
 * @param adapt - gives operators other surroundings, for fault tests.
 * @throws PortInUseError, AnvilMissingError, AnvilDiedError, FolderInUseError, DataDamagedError and
 * others, one line each.
 */
export async function startDevnet(
  options: DevnetOptions,
  say: (line: string) => void,
  signal?: AbortSignal,
  adapt: Adapt = (operator) => operator,
): Promise<Devnet> {
  const opened: Opened = []
  const step = (line: string) => {
    signal?.throwIfAborted()
    say(line)
  }
  try {
    return await openNetwork(options, step, adapt, opened)
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

/** How to close what is open, in order of opening. */
type Opened = (() => unknown)[]

async function closeAll(opened: Opened): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
}

async function openNetwork(
  options: DevnetOptions,
  say: (line: string) => void,
  adapt: Adapt,
  opened: Opened,
): Promise<Devnet> {
  const logger = createLogger(options.logLevel, { part: 'devnet' })
  await requirePorts(options)
  const folder = await openFolder(options.data, (close) => opened.push(close))
  const disk = createDisk(folder)
  const saved = await loadNetwork(disk)
  if (saved) requireSize(saved, options)
  const feeds = await startPriceFeeds({ seed: options.seed })
  opened.push(() => feeds.close())
  say(
    saved ? 'going on with the network of the folder; starting L1 (anvil)' : 'starting L1 (anvil)',
  )
  const stateDir = options.data === undefined ? undefined : join(folder, 'l1')
  const { l1, l1Lost } = await openL1(logger, stateDir, opened)
  if (saved) await requireAnchor(l1.url, saved.anchor, folder)
  const made = saved ?? (await makeNetwork({ options, say, l1, l1Lost, disk }))
  const { genesis, members } = made
  const l2 = options.share ? await openL2(genesis, folder) : undefined
  if (l2) opened.push(() => l2.close())
  const link = options.chaos.includes('l1-down') ? await openL1Link(l1.url) : undefined
  if (link) opened.push(() => link.close())
  const parts = {
    options,
    adapt,
    members,
    genesis,
    folder,
    feeds,
    l1,
    l1Lost,
    link,
    l2,
    logger,
    opened,
  }
  const network = new Network(parts)
  opened.push(() => network.stopOperators())
  say('starting the operators')
  for (const { id } of members) await network.startOperator(id)
  return network
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
  { chaos }: Pick<DevnetOptions, 'chaos'>,
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
    parameters: parametersOf(chaos),
  })
}

/** Changes what an operator is started with. */
export type Adapt = (operator: OperatorOptions) => OperatorOptions

type NetworkParts = {
  readonly options: DevnetOptions
  readonly adapt: Adapt
  readonly members: readonly DevnetOperator[]
  readonly genesis: Genesis
  readonly folder: string
  readonly feeds: PriceFeeds
  readonly l1: L1Process
  readonly l1Lost: Promise<never>
  readonly link: L1Link | undefined
  /** With `--share`: the engine of all operators. */
  readonly l2: L2 | undefined
  readonly logger: Logger
  readonly opened: Opened
}

class Network implements Devnet {
  /** Stays in order of start; a stopped operator keeps its place until it is started again. */
  readonly operators = new Map<OperatorId, RunningOperator>()
  readonly #parts: NetworkParts
  readonly #sharedL2: L2 | undefined
  readonly #transport: Transport = createTransport()

  constructor(parts: NetworkParts) {
    this.#parts = parts
    this.#sharedL2 = parts.l2 && shareL2(parts.l2)
  }

  get genesis(): Genesis {
    return this.#parts.genesis
  }

  get l1(): L1Process {
    return this.#parts.l1
  }

  get link(): L1Link | undefined {
    return this.#parts.link
  }

  get l1Lost(): Promise<never> {
    return this.#parts.l1Lost
  }

  get feeds(): PriceFeeds {
    return this.#parts.feeds
  }

  gateways(): readonly string[] {
    return [...this.operators.values()].map(({ url }) => url)
  }

  async startOperator(id: OperatorId): Promise<void> {
    const { options, adapt, members, genesis, folder, feeds, l1, link } = this.#parts
    const shared = this.#sharedL2
    const member = members.find((one) => one.id === id)
    if (!member) throw new Error(`defect: no operator ${id}`)
    const logger = createLogger(options.logLevel, { operator: member.name })
    const operator: OperatorOptions = {
      ...member,
      ...troublesOf(options, id, join(folder, member.name)),
      ...(shared ? { l2: shared } : {}),
      genesis,
      folder: join(folder, member.name),
      transport: this.#transport,
      l1Url: link?.url ?? l1.url,
      port: this.#portOf(id),
      feeds: feeds.urls,
      gateways: () => new Map([...this.operators].map(([one, { url }]) => [one, url])),
      rng: systemRng,
      logger,
      onFailure: (error) => logger.error('operator failed', { error: String(error) }),
    }
    const running = await startOperator(adapt(operator))
    this.operators.set(id, running)
  }

  /** The port that was asked for, or the free one that the first start has found. */
  #portOf(id: OperatorId): number {
    const { port } = this.#parts.options
    const known = this.operators.get(id)
    if (known) return Number(new URL(known.url).port)
    return port === 0 ? 0 : port + id - 1
  }

  async stopOperator(id: OperatorId): Promise<void> {
    await this.operators.get(id)?.stop()
  }

  async stopOperators(): Promise<void> {
    await Promise.all([...this.operators.values()].map((operator) => operator.stop()))
  }

  stop(): Promise<void> {
    return closeAll(this.#parts.opened)
  }
}
