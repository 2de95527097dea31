// A devnet under load in this process, summed up by the observer and recounted by the auditor while
// it still runs.
import { setTimeout as pass } from 'node:timers/promises'
import { createClient } from '#api'
import {
  createLoad,
  createObserver,
  type Devnet,
  type DevnetOptions,
  devnetAccount,
  type EmbeddedDevnet,
  l2ChainId,
  loadSecrets,
  loadSenders,
  type Outage,
  parseDevnetOptions,
  type Summary,
  startDevnet,
  startIncidents,
  summarise,
} from '#devnet'
import { loadSecp256k1, systemClock } from '#node'
import { toHex } from '#primitives'
import { networkId } from '#records'
import { type Audit, audit } from './auditor.ts'
import { silentLogger } from './manual-clock.ts'

/** What a run was asked to be. */
export type RunOptions = {
  readonly operators?: number
  readonly chaos?: string
  /** Transactions a second, and for how long. */
  readonly rate: number
  readonly seconds: number
  /** How long what was accepted may take to L1 after that; absent: the observer's own limit. */
  readonly settleMs?: number
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
  const { operators = 4, chaos, rate, seconds } = run
  const raw = { operators: String(operators), port: '0', load: String(rate), chaos }
  const options = parseDevnetOptions({ ...raw, for: `${seconds}s`, logLevel: 'error' }, '.')
  await loadNetwork(await startDevnet(options, () => {}), options, run, look)
}

/** The same with a network that has been started, which it ends. */
export async function loadNetwork<Network extends Devnet>(
  devnet: Network,
  options: DevnetOptions,
  { rate, seconds, settleMs }: RunOptions,
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
  const observer = createObserver({ ...common, l1Url, outbox, records: load.records, outages })
  try {
    await observer.start()
    const endIncidents = startIncidents(
      options,
      devnet,
      () => {},
      (outage) => outages.push(outage),
    )
    await load.start()
    await pass(seconds * 1_000)
    await load.stop()
    await endIncidents()
    const span = devnet.slowness.first()
    const summary = summarise(await observer.finish(settleMs), {
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

/** A client of one operator's gateway alone. */
export function clientOf(devnet: Devnet, operator: number) {
  const url = devnet.operators.get(operator)?.url
  if (!url) throw new Error(`no operator ${operator}`)
  return createClient([url])
}

/** All counts of a summary's table together. */
export const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)
