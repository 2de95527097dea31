// An operator that was never there joins by state sync, while one of those who give snapshots gives
// wrong ones.
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import { validatorAddress } from '#consensus'
import { freePorts } from '#devnet'
import {
  createDisk,
  findTrust,
  type OperatorSettingsFile,
  type RunningOperator,
  saveSettings,
  settingsFile,
  systemClock,
} from '#node'
import type { Disk } from '#primitives'
import type { OperatorId } from '#records'
import type { Deed } from './comet-history.ts'
import { type CometNetwork, openCometNetwork } from './comet-network.ts'
import { startHere } from './operator-here.ts'

/** What became of it. */
export type JoinReport = {
  /** The network's height when it was started, and the first block that it has. */
  readonly startedAt: number | undefined
  readonly firstBlock: number | undefined
  /** Chunks that were not what they should be, as far as they were asked for. */
  readonly wrongChunks: number
  /** The first block that it gave a precommit for, proposed, and reported in. */
  readonly first: Readonly<Record<Deed, number | undefined>>
  /** Transactions and tasks that were accepted meanwhile, and those that were lost. */
  readonly accepted: number
  readonly lost: number
  readonly twice: number
  readonly problems: readonly string[]
  readonly seconds: number
}

/** In the genesis, with a fifth of the power. */
const joiner: OperatorId = 5
/** Whose RPC the joiner's light client asks, and who gives wrong chunks. */
const servers: readonly OperatorId[] = [1, 2]
const liar: OperatorId = 3
/**
 * The others' snapshots are of these heights; the liar's of each, so that it has the newest. They
 * last as long as it takes: who begins to fetch one that goes meanwhile has to begin anew.
 */
const everyBlocks = 40
const kept = 64
const liarKept = 1_000
/**
 * Who has not joined by then is stuck. CometBFT asks in vain for two minutes for the snapshot whose
 * only giver it has turned away, before it takes another.
 */
const limitMs = 300_000
const lookMs = 500
const deeds = ['vote', 'proposal', 'report'] as const satisfies readonly Deed[]

/** @param rate - transactions a second. */
export async function joinNetwork(rate: number): Promise<JoinReport> {
  const startedMs = performance.now()
  const rpcs = await placesOf(servers)
  const network = await openCometNetwork(rate, {
    later: [joiner],
    adapt: (settings, { id }) => withSnapshots(settings, rpcs.get(id)),
  })
  let wrongChunks = 0
  const liars: RunningOperator[] = []
  try {
    const joined = await join(network, [...rpcs.values()], async () => {
      liars.push(await startLiar(network, () => void wrongChunks++))
    }).catch((error) => ({ problems: [String(error)] }))
    const seen = { ...nothing, ...joined, wrongChunks }
    const settled = await network.conclude()
    return {
      ...seen,
      ...settled,
      twice: settled.twice + network.chain.twice.length,
      problems: [...[...seen.problems, ...wrong(seen), ...settled.problems], ...network.problems()],
      seconds: Math.round((performance.now() - startedMs) / 1000),
    }
  } finally {
    for (const liar of liars) await liar.stop()
    await network.close()
  }
}

/** What was seen of the joiner. */
type Seen = Pick<JoinReport, 'startedAt' | 'firstBlock' | 'first' | 'problems'>
const nothing: Seen = {
  startedAt: undefined,
  firstBlock: undefined,
  first: { vote: undefined, proposal: undefined, report: undefined },
  problems: [],
}

async function join(
  network: CometNetwork,
  rpcs: readonly string[],
  startLying: () => Promise<void>,
): Promise<Seen> {
  await network.devnet.stopOperator(liar)
  await startLying()
  await network.goesOn()
  await awaitSnapshots(network)
  const startedAt = await network.height()
  await startJoiner(network, rpcs)
  const firstBlock = await awaitFirstBlock(network)
  await network.goesOn([...network.operators, joiner])
  network.watch.follow(joiner, firstBlock)
  const first = await awaitDeeds(network)
  return { startedAt, firstBlock, first, problems: await differences(network) }
}

/** `host:port` for the RPC of each. */
async function placesOf(ids: readonly OperatorId[]): Promise<ReadonlyMap<OperatorId, string>> {
  const ports = await freePorts(ids.length)
  return new Map(ids.map((id, place) => [id, `127.0.0.1:${ports[place]}`]))
}

/** The settings of an operator that takes snapshots, and may be asked about the chain. */
const withSnapshots = (
  settings: OperatorSettingsFile,
  rpcListen: string | undefined,
): OperatorSettingsFile => ({
  ...settings,
  cometbft: {
    ...settings.cometbft,
    snapshots: { everyBlocks, kept },
    ...(rpcListen === undefined ? {} : { rpcListen }),
  },
})

/** Does all that it should, but what it reads of its snapshots has one bit changed. */
const startLiar = (network: CometNetwork, onLie: () => void): Promise<RunningOperator> =>
  startHere(network, liar, (options) => ({
    ...options,
    disk: withWrongChunks(createDisk(options.folder), onLie),
    consensus: { ...options.consensus, snapshots: { everyBlocks: 1, kept: liarKept } },
  }))

const withWrongChunks = (disk: Disk, onLie: () => void): Disk => ({
  ...disk,
  async open(path) {
    const file = await disk.open(path)
    if (!/^snapshots\/\d+\.data$/.test(path)) return file
    return {
      ...file,
      async read(offset, length) {
        const bytes = Uint8Array.from(await file.read(offset, length))
        onLie()
        return bytes.with(0, (bytes[0] ?? 0) ^ 1)
      },
    }
  },
})

/** Resolves when everyone has one. */
async function awaitSnapshots({ operators, folderOf }: CometNetwork): Promise<void> {
  const has = (id: OperatorId) =>
    readdirSync(resolve(folderOf(id), 'snapshots')).some((name) => name.endsWith('.metadata'))
  await until('snapshots', async () => operators.every(has))
}

/** As a person would: asks for a block to believe, writes it into `operator.json`, and starts. */
async function startJoiner({ devnet, folderOf }: CometNetwork, rpcs: readonly string[]) {
  const disk = createDisk(folderOf(joiner))
  const text = readFileSync(disk.pathOf(settingsFile), 'utf8')
  const settings: OperatorSettingsFile = JSON.parse(text)
  const trust = await findTrust({
    ...{ genesis: devnet.genesis, servers: rpcs, nowMs: systemClock.nowMs() },
  })
  const stateSync = { servers: [...rpcs], ...trust }
  await saveSettings(disk, { ...settings, cometbft: { ...settings.cometbft, stateSync } })
  await devnet.startOperator(joiner)
}

/** Its first block, once it has one. */
async function awaitFirstBlock({ watch }: CometNetwork): Promise<number> {
  let first = 0
  await until('the first block of the joiner', async () => {
    const asked = await watch
      .nodeOf(joiner)
      .ask('status', {})
      .catch(() => undefined) // it is being started
    const { sync_info } = (asked ?? {}) as Partial<Status>
    first = Number(sync_info?.earliest_block_height ?? 0)
    return first > 0
  })
  return first
}

type Status = { readonly sync_info: { readonly earliest_block_height: string } }

/** Waits until the joiner has done all that an operator does, and says where it first did. */
async function awaitDeeds(network: CometNetwork): Promise<JoinReport['first']> {
  const { devnet, history } = network
  const key = devnet.genesis.operators.find(({ id }) => id === joiner)?.consensusKey ?? '0x'
  const who = { vote: validatorAddress(key), proposal: validatorAddress(key), report: joiner }
  const first = (deed: Deed) => history.firstOf(deed, who[deed])
  await until('deeds of the joiner', async () => {
    await network.look()
    return deeds.every((deed) => first(deed) !== undefined)
  }).catch(() => {}) // which is missing is in the report
  return { vote: first('vote'), proposal: first('proposal'), report: first('report') }
}

/** What of the joiner's L2 differs from another's, at its head. */
async function differences({ devnet, gateways }: CometNetwork): Promise<readonly string[]> {
  const [other = ''] = gateways
  const blockOf = (url: string, number: unknown) =>
    createClient([url]).request('eth_getBlockByNumber', [number, false])
  const url = devnet.operators.get(joiner)?.url ?? ''
  const head = await createClient([url]).request('eth_blockNumber', [])
  const [own, theirs] = [await blockOf(url, head), await blockOf(other, head)].map((block) =>
    JSON.stringify(block),
  )
  return own === theirs ? [] : [`L2 block ${head}: ${own} of the joiner, ${theirs} of another`]
}

function wrong({
  startedAt = 0,
  firstBlock = 0,
  wrongChunks,
  first,
}: Pick<JoinReport, 'startedAt' | 'firstBlock' | 'wrongChunks' | 'first'>): readonly string[] {
  const from = firstBlock - 1
  return [
    ...(from <= 0 ? ['it has followed from block 1 on'] : []),
    ...(from > 0 && from % everyBlocks !== 0 ? [`only the liar has a snapshot of ${from}`] : []),
    ...(wrongChunks === 0 ? ['the liar was asked for nothing: no wrong chunk was refused'] : []),
    ...deeds
      .filter((deed) => (first[deed] ?? 0) <= startedAt)
      .map((deed) => `its first ${deed} is of block ${first[deed]}, and it began at ${startedAt}`),
  ]
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadlineMs = systemClock.nowMs() + limitMs
  while (!(await isSo())) {
    if (systemClock.nowMs() > deadlineMs) throw new Error(`waited in vain for ${what}`)
    await pass(lookMs)
  }
}
