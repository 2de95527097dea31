// Real operators in this process over a real L1, started and stopped one by one: for tests of what
// they do together.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport, openBlock, openFileBlockStore, type Transport } from '#consensus'
import {
  createOperators,
  type DevnetOperator,
  deployNetwork,
  type L1Process,
  startL1,
  startPriceFeeds,
} from '#devnet'
import {
  type ConsensusChoice,
  createDisk,
  type OperatorOptions,
  type RunningOperator,
  startOperator,
  systemClock,
  systemRng,
} from '#node'
import type { Hex, Logger } from '#primitives'
import { type Genesis, networkId, type OperatorId } from '#records'
import { silentLogger } from './manual-clock.ts'
import { reached } from './waiting.ts'

/** One life of an operator. */
export type ClusterOperator = RunningOperator & {
  readonly folder: string
  /** What it has warned of and complained about. */
  readonly said: readonly Said[]
  /** Resolves with the error that keeps it from going on. */
  readonly failed: Promise<unknown>
}

/** A line of an operator's log. */
export type Said = {
  readonly level: 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A network of which the operators are started one by one, or all at once. */
export type Cluster = {
  readonly genesis: Genesis
  readonly l1: L1Process
  readonly members: readonly DevnetOperator[]
  readonly transport: Transport
  /** Its operators' latest lives, in order of their ids. */
  readonly operators: readonly ClusterOperator[]
  operator(id: OperatorId): ClusterOperator
  /** Starts an operator on its own folder, unless told otherwise. */
  start(id: OperatorId, changes?: Partial<OperatorOptions>): Promise<ClusterOperator>
  /** A folder that goes with the network; a copy of another one, when it is named. */
  folder(copyOf?: string): Promise<string>
  /** Ends every life of every operator, L1, and the folders. */
  stop(): Promise<void>
}

/** Which operators begin together, on what. */
export type ClusterPlan = {
  /** The others are the test's to start; absent: all. */
  readonly started?: number
  /** Absent: the embedded engine for all. */
  readonly consensus?: (id: OperatorId, members: readonly DevnetOperator[]) => ConsensusChoice
}

/** Starts an L1 and as many operators; closes what is open when that fails. */
export async function startCluster(
  count = 4,
  transport: Transport = createTransport(),
  plan: ClusterPlan = {},
): Promise<Cluster> {
  const opened: Opened = []
  try {
    return await openCluster(count, transport, plan, opened)
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

async function openCluster(
  count: number,
  transport: Transport,
  { started = count, consensus }: ClusterPlan,
  opened: Opened,
): Promise<Cluster> {
  const root = await mkdtemp(join(tmpdir(), 'nodeop-cluster-'))
  opened.push(() => rm(root, { recursive: true, force: true }))
  const l1 = await startL1({ logger: silentLogger })
  opened.push(() => l1.stop())
  const feeds = await startPriceFeeds({ seed: 1 })
  opened.push(() => feeds.close())
  const members = createOperators(count, systemRng)
  const genesis = await deployNetwork({ chaos: [], data: undefined }, members, l1)
  const lives = new Map<OperatorId, ClusterOperator>()
  const start = async (id: OperatorId, changes: Partial<OperatorOptions> = {}) => {
    const member = withId(members, id)
    const life = await startLife({
      ...{ ...member, genesis, folder: join(root, member.name) },
      consensus: consensus?.(id, members) ?? { engine: 'embedded', transport },
      ...{ l1Url: l1.url, port: 0, feeds: feeds.urls, clock: systemClock, rng: systemRng },
      gateways: () => new Map([...lives].map(([one, { url }]) => [one, url])),
      ...changes,
    })
    opened.push(() => life.stop())
    lives.set(id, life)
    return life
  }
  for (const { id } of members.slice(0, started)) await start(id)
  let folders = 0
  return {
    ...{ genesis, l1, members, transport, start },
    get operators() {
      return [...lives.values()]
    },
    operator: (id) => withId([...lives.values()], id),
    folder: async (copyOf) => {
      const folder = join(root, `folder-${++folders}`)
      if (copyOf !== undefined) await cp(copyOf, folder, { recursive: true })
      return folder
    },
    stop: () => closeAll(opened),
  }
}

async function startLife(
  options: Omit<OperatorOptions, 'logger' | 'onFailure'>,
): Promise<ClusterOperator> {
  const said: Said[] = []
  const { promise: failed, resolve: onFailure } = Promise.withResolvers<unknown>()
  const running = await startOperator({ ...options, logger: recorder(said), onFailure })
  return { ...running, folder: options.folder, said, failed }
}

/** Keeps warnings and errors. */
function recorder(said: Said[]): Logger {
  const keep =
    (level: Said['level']): Logger['warn'] =>
    (message, fields = {}) =>
      void said.push({ level, message, fields })
  return { ...silentLogger, warn: keep('warn'), error: keep('error') }
}

function withId<One extends { readonly id: OperatorId }>(all: readonly One[], id: number): One {
  const one = all.find((each) => each.id === id)
  if (!one) throw new Error(`no operator ${id}`)
  return one
}

/** Waits until every operator has committed what any of them has, and so many blocks more. */
export async function allReach(cluster: Cluster, more: number): Promise<number> {
  const heights = cluster.operators.map(({ application }) => application.height)
  const height = Math.max(...heights) + more
  await Promise.all(cluster.operators.map((operator) => reached(operator, height)))
  return height
}

const blocksFile = 'blocks.log'

/** A block as an operator holds it on its disk. */
export type HeldBlock = {
  readonly height: number
  readonly hash: Hex
  /** After it, as this operator has computed it. */
  readonly appHash: Hex
  readonly proposer: Hex
  readonly transactions: readonly Uint8Array[]
}

/** All blocks that an operator holds, read from a copy of its file: it may be running. */
export async function heldBlocks(
  cluster: Cluster,
  { folder }: ClusterOperator,
): Promise<readonly HeldBlock[]> {
  const copy = await cluster.folder()
  await cp(join(folder, blocksFile), join(copy, blocksFile))
  const network = networkId(cluster.genesis)
  const store = await openFileBlockStore(blocksFile, network, silentLogger, createDisk(copy))
  const blocks: HeldBlock[] = []
  for (let height = 1; height <= store.height(); height++) {
    const stored = await store.load(height)
    if (!stored) throw new Error(`block ${height} is missing`)
    const { block, hash } = openBlock(stored.block)
    const { header, transactions } = block
    blocks.push({ height, hash, appHash: stored.appHash, proposer: header.proposer, transactions })
  }
  await store.close()
  return blocks
}
