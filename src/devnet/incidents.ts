import { createL1Client } from '#ethereum'
import { systemClock } from '#node'
import type { ChaosKind } from './chaos.ts'
import type { Devnet } from './devnet.ts'
import type { Outage } from './observe/outages.ts'
import type { DevnetOptions } from './options.ts'
import { waitAtMost } from './wait.ts'

/** One thing that goes wrong for a while: it may wait, by `pause`, and puts right what it broke. */
type Incident = (around: Around) => Promise<void>

type Around = {
  readonly devnet: Devnet
  readonly options: IncidentOptions
  /** Told of each time that L1 was out of reach, when it is over. */
  readonly onOutage: (outage: Outage) => void
  readonly say: (line: string) => void
  /** Resolves after so long, or at once when the run ends. */
  readonly pause: (delayMs: number) => Promise<void>
}

type IncidentOptions = Pick<DevnetOptions, 'chaos' | 'l1DownMs' | 'forMs' | 'slowOperator'>

/** How long everything is well before an incident. */
const wellMs: Readonly<Partial<Record<ChaosKind, number>>> = {
  operator: 4_000,
  'l1-down': 5_000,
  reorg: 12_000,
  'deep-reorg': 20_000,
}

const operatorDownMs = 3_000
const shortL1DownMs = 20_000
/** In a run without an end, a slow operator comes and goes in this time. */
const slowPeriodMs = 180_000
/** Fewer and more than the governed depth. */
const shallowBlocks = 6
const deepBlocks = 16

/** What happens over and over, each with a while between; what is deep happens once. */
const incidents: Readonly<Partial<Record<ChaosKind, Incident>>> = {
  operator: async ({ devnet, pause, say }) => {
    const last = [...devnet.operators.keys()].at(-1) ?? 0
    await devnet.stopOperator(last)
    say(`chaos: operator ${last} is stopped`)
    await pause(operatorDownMs)
    await devnet.startOperator(last)
    say(`chaos: operator ${last} is up again`)
  },
  'l1-down': async (around) => {
    const { options, pause } = around
    await cutL1(around, options.l1DownMs ?? shortL1DownMs)
    if (options.l1DownMs !== undefined) await pause(foreverMs)
  },
  slow: async ({ devnet: { slowness }, options, pause, say }) => {
    const periodMs = options.forMs ?? slowPeriodMs
    await pause(periodMs / 6)
    slowness.set(true)
    say(`chaos: operator ${options.slowOperator} is slow`)
    await pause(periodMs / 3)
    slowness.set(false)
    say(`chaos: operator ${options.slowOperator} is well again`)
    await pause(periodMs / 2)
  },
  reorg: (around) => reorganise(around, shallowBlocks),
  'deep-reorg': async (around) => {
    await reorganise(around, deepBlocks)
    await around.pause(foreverMs)
  },
}

/** Longer than any run. */
const foreverMs = 2 ** 31 - 1

/** Nobody reaches L1 for so long, or until the run ends. */
async function cutL1({ devnet, pause, say, onOutage }: Around, downMs: number): Promise<void> {
  const fromMs = systemClock.nowMs()
  devnet.link?.setCut(true)
  say(`chaos: no operator reaches L1 for ${Math.round(downMs / 1000)} s`)
  await pause(downMs)
  devnet.link?.setCut(false)
  say('chaos: L1 is within reach again')
  onOutage({ fromMs, toMs: systemClock.nowMs() })
}

/** The last blocks of L1 are replaced by empty ones: what they held has never happened. */
async function reorganise({ devnet, say }: Around, blocks: number): Promise<void> {
  const client = createL1Client(devnet.l1.url)
  const ask = (method: string, ...params: unknown[]) => client.request({ method, params } as never)
  await ask('anvil_reorg', blocks, [])
  // Anvil gives all new blocks the time of the oldest, and would stay behind for ever.
  const { timestamp } = await client.getBlock()
  await ask('evm_increaseTime', Math.floor(systemClock.nowMs() / 1000) - Number(timestamp))
  say(`chaos: the last ${blocks} blocks of L1 are gone`)
}

/**
 * Starts the incidents that were asked for, each over and over.
 *
 * @returns ends them, with everything put right again that can be.
 */
export function startIncidents(
  options: IncidentOptions,
  devnet: Devnet,
  say: (line: string) => void,
  onOutage: (outage: Outage) => void = () => {},
): () => Promise<void> {
  const ended = Promise.withResolvers<void>()
  let isEnding = false
  const pause = (delayMs: number) => waitAtMost(systemClock, delayMs, [ended.promise])
  const repeat = async (kind: ChaosKind): Promise<void> => {
    const incident = incidents[kind]
    while (incident && !isEnding) {
      await pause(wellMs[kind] ?? 0)
      if (!isEnding) await incident({ devnet, options, say, pause, onOutage })
    }
  }
  const running = Promise.all(options.chaos.map(repeat))
  running.catch(() => {}) // whoever ends them hears of it
  return async () => {
    isEnding = true
    ended.resolve()
    await running
  }
}
