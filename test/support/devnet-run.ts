// A devnet under load in this process, summed up by the observer and recounted by the auditor while
// it still runs.
import { type Client, createClient } from '#api'
import {
  createLoad,
  createObserver,
  type Devnet,
  type DevnetOptions,
  devnetAccount,
  type EmbeddedDevnet,
  type Load,
  l2ChainId,
  loadSecrets,
  loadSenders,
  type Observer,
  type Outage,
  parseDevnetOptions,
  type Summary,
  startDevnet,
  startIncidents,
  startLoad,
  summarise,
} from '#devnet'
import { loadSecp256k1, systemClock } from '#node'
import { toHex } from '#primitives'
import { networkId } from '#records'
import { type Audit, audit } from './auditor.ts'
import { silentLogger } from './manual-clock.ts'
import { eventually, patienceMs } from './waiting.ts'

/** What a run was asked to be. */
export type RunOptions<Network extends Devnet = EmbeddedDevnet> = {
  readonly operators?: number
  readonly chaos?: string
  /** How long chaos that comes and goes with the run takes it to be, such as `48s`. */
  readonly for?: string
  /** Transactions a second. */
  readonly rate: number
  /**
   * Whether what the test is about has happened: until then it is sent, however long that takes on
   * a busy machine.
   */
  readonly until: (seen: Seen<Network>) => boolean | Promise<boolean>
}

/** A run in progress. */
export type Seen<Network extends Devnet = EmbeddedDevnet> = {
  readonly devnet: Network
  readonly sent: Load['records']
  readonly observer: Observer
  /** What chaos has done so far, in its words. */
  readonly chaos: readonly string[]
}

/** A run that is over, on a network that still answers. */
export type Run<Network extends Devnet = EmbeddedDevnet> = {
  readonly devnet: Network
  readonly summary: Summary
  readonly audit: Audit
}

/** Runs a network under load, waits until all is on L1, and hands it over before it ends. */
export async function runUnderLoad(
  run: RunOptions,
  look: (run: Run) => Promise<void>,
): Promise<void> {
  const { operators = 4, chaos, rate, for: time } = run
  const raw = { operators: String(operators), port: '0', load: String(rate), chaos, for: time }
  const options = parseDevnetOptions({ ...raw, logLevel: 'error' }, '.')
  await loadNetwork(await startDevnet(options, () => {}), options, run, look)
}

/** The same with a network that has been started, which it ends. */
export async function loadNetwork<Network extends Devnet>(
  devnet: Network,
  options: DevnetOptions,
  { rate, until }: RunOptions<Network>,
  look: (run: Run<Network>) => Promise<void>,
): Promise<void> {
  const common = { gateways: devnet.gateways(), clock: systemClock, logger: silentLogger }
  const { outbox } = devnet.genesis
  const load = createLoad({
    ...common,
    l2ChainId,
    senders: loadSecrets(loadSenders).map(toHex),
    taskClient: devnetAccount(9).privateKey,
    networkId: networkId(devnet.genesis),
    rate,
    symbols: ['ETH/USD', 'BTC/USD'],
    sign: loadSecp256k1().sign,
  })
  const l1Url = devnet.l1.url
  const outages: Outage[] = []
  const chaos: string[] = []
  const observer = createObserver({ ...common, l1Url, outbox, records: load.records, outages })
  try {
    await observer.start()
    const endIncidents = startIncidents(
      options,
      devnet,
      (line) => chaos.push(line),
      (outage) => outages.push(outage),
    )
    await startLoad(load)
    const seen = { devnet, sent: load.records, observer, chaos }
    await Promise.race([eventually('what the load is for', () => until(seen)), devnet.l1Lost])
    await load.stop()
    await endIncidents()
    const span = devnet.slowness.first()
    const summary = summarise(await observer.finish(patienceMs), {
      chaos: options.chaos,
      ...(span ? { slow: { ...span, operator: options.slowOperator } } : {}),
    })
    const [gatewayUrl = ''] = devnet.gateways()
    const transactions = [...load.records.transactions.keys()]
    const tasks = [...load.records.tasks.keys()]
    const recount = await audit({ gatewayUrl, l1Url, outbox, transactions, tasks })
    await look({ devnet, summary, audit: recount })
  } finally {
    await observer.stop()
    await load.stop()
    await devnet.stop()
  }
}

/** A client of one operator's gateway alone, once that serves: on a busy machine it may pause. */
export async function clientOf(devnet: Devnet, operator: number): Promise<Client> {
  const url = devnet.operators.get(operator)?.url
  if (!url) throw new Error(`no operator ${operator}`)
  await eventually(`operator ${operator} to serve`, async () => (await fetch(`${url}/readyz`)).ok)
  return createClient([url], { timeoutMs: patienceMs })
}

/** All counts of a summary's table together. */
export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)
