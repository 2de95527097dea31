// A network on CometBFT, every operator and every node a process of its own, and all that stands
// outside it: the load, a witness before L1, and checkers that see everything from the first block.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import { endLeftOver } from '#consensus'
import {
  type AdaptSettings,
  type Devnet,
  type Load,
  type ProcessPlan,
  parseDevnetOptions,
  type ReachedProcess,
  startLoad,
  startProcessNetwork,
} from '#devnet'
import { systemClock } from '#node'
import type { OperatorId } from '#records'
import { createSigningChecker, type SigningChecker } from '../support/signing-checker.ts'
import { type ChainChecker, createChainChecker } from './chain-checker.ts'
import { letGoOn } from './comet-faults.ts'
import { type CometHistory, createCometHistory } from './comet-history.ts'
import { type CometWatch, watchComet } from './comet-watch.ts'
import { toBeEnded } from './ending.ts'
import { createFolderChecker, type FolderChecker } from './folder-checker.ts'
import { type L1Witness, openL1Witness } from './l1-witness.ts'
import { loadOf } from './load.ts'
import { followEndings, type Settled, settle } from './settling.ts'

/** The network and what watches it. */
export type CometNetwork = {
  readonly devnet: Devnet<ReachedProcess>
  /** Those that began with it: whom the load is sent to, and who is waited for. */
  readonly operators: readonly OperatorId[]
  /** Theirs. */
  readonly gateways: readonly string[]
  readonly load: Load
  readonly checker: SigningChecker
  readonly history: CometHistory
  readonly watch: CometWatch
  readonly chain: ChainChecker
  readonly guards: FolderChecker
  readonly l1: L1Witness
  /** An operator's folder. */
  folderOf(operator: OperatorId): string
  /** Process of an operator's CometBFT; undefined before the first. */
  enginePid(operator: OperatorId): number | undefined
  /** The highest block of these operators' nodes, as far as they answer. */
  height(operators?: readonly OperatorId[]): Promise<number>
  /** Returns how long it took until all these operators serve and have decided two more blocks. */
  goesOn(operators?: readonly OperatorId[]): Promise<number>
  /** Reads what is new, everywhere. */
  look(): Promise<void>
  /** Ends the load, waits until all that was accepted has ended, and reads everything again. */
  conclude(): Promise<Settled>
  /** What any checker has found, in words. */
  problems(): readonly string[]
  /** Ends everything, and removes the folder. */
  close(): Promise<void>
}

/** How many begin together. */
const founders = 4
/** Who is not well again after so long is stuck. */
const goesOnLimitMs = 120_000
const lookMs = 100

/**
 * Starts a new network, and a load on it.
 *
 * @param rate - transactions a second.
 * @param plan - who of the genesis is not started, beside the four who are.
 * @throws CometMissingError, and what a devnet throws that does not start.
 */
export async function openCometNetwork(
  rate: number,
  { adapt, later = [] }: ProcessPlan = {},
): Promise<CometNetwork> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-comet-soak-'))
  const checker = createSigningChecker()
  let l1Url = ''
  const l1 = await openL1Witness(() => l1Url, checker)
  const count = founders + later.length
  const options = parseDevnetOptions(
    {
      ...{ engine: 'cometbft', data: folder, port: '0', logLevel: 'silent' },
      operators: String(count),
    },
    folder,
  )
  const toWitness: AdaptSettings = (settings, member) => {
    l1Url = settings.l1Url
    const witnessed = { ...settings, l1Url: l1.url }
    return adapt ? adapt(witnessed, member) : witnessed
  }
  const starting = new AbortController()
  const plan = { adapt: toWitness, later }
  const started = startProcessNetwork(options, () => {}, starting.signal, plan)
  const close = toBeEnded(async () => {
    starting.abort()
    await started.then((devnet) => stopAll(devnet, folder)).catch(() => {})
    await l1.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const devnet = await started.catch(async (error) => {
    await close()
    throw error
  })
  const operators = [...devnet.operators.keys()].filter((id) => !later.includes(id))
  const gateways = operators.map((id) => devnet.operators.get(id)?.url ?? '')
  const load = loadOf(gateways, devnet.genesis, rate)
  const network = watched({ devnet, operators, gateways, load, checker, l1, folder, close })
  try {
    await network.goesOn()
    await startLoad(load)
    return network
  } catch (error) {
    await network.close()
    throw error
  }
}

const folderIn = (folder: string, id: OperatorId) => join(folder, `operator-${id}`)
const homeIn = (folder: string, id: OperatorId) => join(folderIn(folder, id), 'cometbft')
const enginePidIn = (folder: string, id: OperatorId) =>
  pidIn(join(homeIn(folder, id), 'cometbft.pid'))

/** Ends whatever runs: what stands still too, and the CometBFT of an operator that was killed. */
async function stopAll(devnet: Devnet<ReachedProcess>, folder: string): Promise<void> {
  letGoOn([...devnet.operators.values()].map(({ pid }) => pid))
  const ids = [...devnet.operators.keys()]
  letGoOn(ids.map((id) => enginePidIn(folder, id)))
  await devnet.stop()
  for (const id of ids) await endLeftOver(homeIn(folder, id))
}

type Opened = Pick<
  CometNetwork,
  'devnet' | 'operators' | 'gateways' | 'load' | 'checker' | 'l1' | 'close'
> & { readonly folder: string }

function watched({ folder, ...opened }: Opened): CometNetwork {
  const { devnet, operators, gateways, load, checker } = opened
  const folderOf = (id: OperatorId) => folderIn(folder, id)
  const history = createCometHistory(checker)
  const watch = watchComet(operators, (id) => homeIn(folder, id), history)
  const chain = createChainChecker(gateways)
  const guards = createFolderChecker(devnet.genesis, ({ id }) => folderOf(id), checker)
  const endings = followEndings(load, gateways)
  const height = async (ids = operators) =>
    Math.max(0, ...(await Promise.all(ids.map(async (id) => (await watch.heightOf(id)) ?? 0))))
  return {
    ...opened,
    ...{ history, watch, chain, guards, folderOf, height },
    enginePid: (id) => enginePidIn(folder, id),
    goesOn: async (ids = operators) => goesOn(devnet, watch, ids, (await height(ids)) + 2),
    async look() {
      await guards.look()
      await watch.look()
      await chain.look()
      await endings.look()
    },
    async conclude() {
      await load.stop()
      const endpoints = { gateways, l1Url: devnet.l1.url, outbox: devnet.genesis.outbox }
      const settled = await settle(load, endpoints, undefined, endings)
      await guards.look()
      await watch.lookAgain()
      await chain.lookAgain()
      return settled
    },
    problems: () => [
      ...checker.violations,
      ...history.problems,
      ...guards.problems,
      ...chain.problems,
    ],
    async close() {
      await load.stop()
      watch.close()
      await opened.close()
    },
  }
}

async function goesOn(
  devnet: Devnet,
  watch: CometWatch,
  ids: readonly OperatorId[],
  target: number,
): Promise<number> {
  const startedMs = systemClock.nowMs()
  const isWell = async (id: OperatorId) => {
    if (((await watch.heightOf(id)) ?? 0) < target) return false
    const client = createClient([devnet.operators.get(id)?.url ?? ''])
    return client.nodeop_status().then(
      ({ ready }) => ready,
      () => false,
    )
  }
  let waiting = ids
  for (;;) {
    const well = await Promise.all(waiting.map(isWell))
    waiting = waiting.filter((_, place) => !well[place])
    const tookMs = systemClock.nowMs() - startedMs
    if (waiting.length === 0) return tookMs
    if (tookMs > goesOnLimitMs)
      throw new Error(`operators ${waiting.join(', ')} are not at block ${target} and serving`)
    await pass(lookMs)
  }
}

function pidIn(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined
  } catch {
    return undefined
  }
}
