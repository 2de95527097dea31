import { type CometTiming, cometTimings, findComet } from '#consensus'
import { type Contender, commit100, startCometNetwork } from './consensus/comet-network.ts'
import { embeddedBlockMs } from './consensus/embedded.ts'
import { type LoadResult, runLoad } from './consensus/load.ts'
import { keyValueTransaction, payloadTransaction } from './consensus/payload-service.ts'
import { roundtripUs } from './consensus/roundtrip.ts'
import { cost, type Figure, type Report, rate } from './figure.ts'

const operators = 4
/** Runs of each contender, in turn. */
const rounds = 2
/** Offered where nothing is to be waited for, and far above what four nodes here can take. */
const calmPerSecond = 500
const floodPerSecond = 4_000
const calmSeconds = 12
const floodSeconds = 8
/** Before each run, of each contender alike: what compiles as it runs has done so. */
const warmSeconds = 6
/** Of the peer's most, what both have to take whole. */
const share = 0.7

/**
 * CometBFT with our ledger, which checks every client's signature, beside CometBFT with its own
 * key-value store; then blocks of the embedded engine.
 */
export async function consensus(): Promise<Report> {
  const { path: binary } = findComet(process.env.PATH ?? '')
  const compare = (timing: CometTiming, offer: Offer) => compareOver(binary, timing, offer)
  const calm = { perSecond: calmPerSecond, seconds: calmSeconds, settleMs: 10_000 }
  const commit = await compare(commit100, calm)
  const lan = await compare(cometTimings.lan, calm)
  const socket = await runOnce(binary, 'empty', cometTimings.lan, calm)
  const lanApp = await runOnce(binary, 'ours-app', cometTimings.lan, calm)
  const flood = { perSecond: floodPerSecond, seconds: floodSeconds, settleMs: 0 }
  const most = await compare(commit100, flood)
  const mostApp = await runOnce(binary, 'ours-app', commit100, flood)
  const perSecond = Math.round(share * most.kvstore.perSecond)
  const taken = await compare(commit100, { perSecond, seconds: calmSeconds, settleMs: 10_000 })
  const roundtrip = await roundtripUs()
  const figures: Figure[] = [
    costOf('confirm-ms@500', commit, 'ms', ({ meanMs }) => meanMs),
    costOf('confirm-lan-ms@500', lan, 'ms', ({ meanMs }) => meanMs),
    costOf('confirm-lan-ms@500-app', { ...lan, ours: lanApp }, 'ms', ({ meanMs }) => meanMs),
    costOf('socket-lan-ms@500', { ...lan, ours: socket }, 'ms', ({ meanMs }) => meanMs),
    rateOf('processed', taken, 'share', ({ included, sent }) => included / sent),
    rateOf('max-tps', most, 'tx/s', (result) => result.perSecond),
    rateOf('max-tps-app', { ...most, ours: mostApp }, 'tx/s', (result) => result.perSecond),
    costOf('cpu-us-per-tx', commit, 'us', ({ cpuUs }) => cpuUs),
    cost('consensus', 'abci-roundtrip-us', {
      ...{ ours: rounded(roundtrip), peer: null, unit: 'us', n: operators },
    }),
  ]
  for (const n of [4, 7, 16])
    figures.push(
      cost('consensus', `embedded-block-ms@${n}`, {
        ...{ ours: rounded(await embeddedBlockMs(n)), peer: null, unit: 'ms', n },
      }),
    )
  return { figures, notes: [...notes, `processed: ${perSecond} transactions a second offered.`] }
}

type Offer = { readonly perSecond: number; readonly seconds: number; readonly settleMs: number }

/** Of our ledger and the peer, the mean over their rounds. */
type Compared = Readonly<Record<'ours' | 'kvstore', Run>>

async function compareOver(binary: string, timing: CometTiming, offer: Offer): Promise<Compared> {
  const ours = []
  const kvstore = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await runOnce(binary, 'ours', timing, offer))
    kvstore.push(await runOnce(binary, 'kvstore', timing, offer))
  }
  return { ours: meanOf(ours), kvstore: meanOf(kvstore) }
}

type Run = LoadResult & { readonly cpuUs: number }

async function runOnce(
  binary: string,
  contender: Contender,
  timing: CometTiming,
  { perSecond, seconds, settleMs }: Offer,
): Promise<Run> {
  const make = contender === 'kvstore' ? keyValueTransaction : payloadTransaction
  const transactions = Array.from({ length: perSecond * seconds }, (_, place) => make(place))
  const warmUp = Array.from({ length: calmPerSecond * warmSeconds }, (_, place) =>
    make(transactions.length + place),
  )
  const network = await startCometNetwork(binary, contender, timing)
  try {
    await runLoad(network.rpcUrls, {
      ...{ transactions: warmUp, perSecond: calmPerSecond, settleMs: 5_000 },
    })
    const startUs = network.cpuUs()
    const result = await runLoad(network.rpcUrls, { transactions, perSecond, settleMs })
    const cpuUs = (network.cpuUs() - startUs) / result.included
    const { included, sent, meanMs } = result
    process.stderr.write(
      `${contender}: ${perSecond} a second, ${included} of ${sent} in blocks, ` +
        `confirmed after ${Math.round(meanMs)} ms, ${Math.round(result.perSecond)} a second\n`,
    )
    return { ...result, cpuUs }
  } finally {
    await network.stop()
  }
}

function meanOf(runs: readonly Run[]): Run {
  const mean = (of: (run: Run) => number) =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length
  return {
    sent: mean((run) => run.sent),
    included: mean((run) => run.included),
    meanMs: mean((run) => run.meanMs),
    p99Ms: mean((run) => run.p99Ms),
    perSecond: mean((run) => run.perSecond),
    cpuUs: mean((run) => run.cpuUs),
  }
}

const sides = ({ ours, kvstore }: Compared, of: (run: Run) => number, unit: string) => ({
  ...{ ours: rounded(of(ours)), peer: rounded(of(kvstore)), unit, n: operators },
})

const costOf = (metric: string, compared: Compared, unit: string, of: (run: Run) => number) =>
  cost('consensus', metric, sides(compared, of, unit))

const rateOf = (metric: string, compared: Compared, unit: string, of: (run: Run) => number) =>
  rate('consensus', metric, sides(compared, of, unit))

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000

const notes = [
  `Four nodes of one CometBFT on this machine, ${rounds} runs each in turn, all by one load tool that`,
  'sends 250 bytes a transaction to all nodes and hears of blocks from the first. Ours: the ledger in a',
  'process of its own for each node, every signature checked on arrival by each; the peer: the key-value',
  `store within the node, without signatures. Before each run both take ${calmPerSecond} a second for`,
  `${warmSeconds} s, which do not count.`,
  'confirm-ms: mean from sending to the news of the block, 100 ms after each commit; lan: the LAN clocks.',
  '-app: one run of ours with the `app` mempool of CometBFT; all others have its `flood` mempool.',
  'socket-lan-ms: one run with an application behind our socket that does nothing at all.',
  `max-tps: included while ${floodPerSecond} a second are offered. cpu-us-per-tx: of all processes.`,
  'abci-roundtrip-us: CheckTx with one signature over the socket. embedded-block-ms: median gap between',
  'blocks that follow at once, with signatures, guard, log and ledger on disk, all in one process.',
]
