import { percentile } from '#simulation'
import type { AllocationFacts, RunFacts, TaskFacts, TransactionFacts } from './observe/facts.ts'
import { latencies, type SlowOutcome, type SlowSpan, slowOutcome } from './slowness.ts'

/** Median and 99th percentile, both by nearest rank; 0 when there was nothing to measure. */
export type Latency = { readonly p50: number; readonly p99: number }

/** The outcome of a run: what `npm run devnet -- --json` prints as its last line. */
export type Summary = {
  readonly operators: number
  readonly engine: string
  readonly seconds: number
  readonly blocks: number
  readonly blocksAboveRound0: number
  readonly transactions: {
    readonly sent: number
    readonly refused: Readonly<Record<string, number>>
    readonly confirmed: number
    readonly certified: number
    readonly onL1: number
  }
  readonly tasks: {
    readonly sent: number
    readonly refused: Readonly<Record<string, number>>
    readonly agreed: number
    readonly certified: number
    readonly onL1: number
    readonly settled: number
    readonly expired: number
    readonly latencyMs: Readonly<Record<'agreed' | 'certified' | 'onL1' | 'settled', Latency>>
  }
  readonly checkpoints: {
    readonly certified: number
    readonly onL1: number
    readonly byFallback: number
    readonly missedWindows: number
  }
  /** Epoch by epoch: who had which part of the work, and how soon tasks were agreed on. */
  readonly allocations: readonly EpochSummary[]
  /** Of transactions, from the request. */
  readonly latencyMs: Readonly<Record<'confirmed' | 'certified' | 'onL1', Latency>>
  readonly gasPerSubmission: { readonly p50: number; readonly max: number }
  /** While nobody reached L1, and after it; left out when that never was. */
  readonly outages?: RunFacts['outages']
  readonly lost: number
  readonly twice: number
  /** Whether operators shared computations; left out when they did not. */
  readonly share?: boolean
  /** Faults that were injected; left out when there were none. */
  readonly chaos?: readonly string[]
  /** With chaos `slow`, when the run was long enough: how the network dealt with it. */
  readonly slow?: SlowOutcome
}

/** Shares of an epoch, and the latency of tasks that were asked for in it and agreed on. */
export type EpochSummary = AllocationFacts & {
  readonly agreed: number
  readonly latencyMs: Latency
}

/** How the run was set up, as far as the summary says so. */
export type RunMode = {
  readonly share?: boolean
  readonly chaos?: readonly string[]
  /** Who was slow, and when. */
  readonly slow?: SlowSpan & { readonly operator: number }
}

/** Counts a run. Lost = neither refused nor dropped with a reason, nor expired, nor on L1. */
export function summarise(facts: RunFacts, mode: RunMode = {}): Summary {
  const { transactions, tasks, unsent, checkpoints } = facts
  const gas = checkpoints.recorded.map((one) => one.gas)
  const slow = mode.slow && slowOutcome(mode.slow.operator, mode.slow, facts)
  return {
    operators: facts.operators,
    engine: facts.engine,
    seconds: facts.seconds,
    blocks: facts.blocks,
    blocksAboveRound0: facts.blocksAboveRound0,
    transactions: {
      sent: transactions.length + sum(unsent.transactions),
      refused: countRefusals(transactions, unsent.transactions),
      confirmed: countWith(transactions, 'confirmedMs'),
      certified: countWith(transactions, 'certifiedMs'),
      onL1: countWith(transactions, 'onL1Ms'),
    },
    tasks: summariseTasks(facts),
    allocations: epochsOf(facts),
    checkpoints: {
      certified: checkpoints.certified,
      onL1: checkpoints.recorded.length,
      byFallback: checkpoints.recorded.filter(({ window }) => window > 0).length,
      missedWindows: checkpoints.missedWindows,
    },
    latencyMs: {
      confirmed: latencyOf(transactions, 'confirmedMs'),
      certified: latencyOf(transactions, 'certifiedMs'),
      onL1: latencyOf(transactions, 'onL1Ms'),
    },
    gasPerSubmission: { p50: percentile(gas, 0.5), max: percentile(gas, 1) },
    ...(facts.outages.length > 0 ? { outages: facts.outages } : {}),
    lost: [...transactions, ...tasks].filter(isLost).length,
    twice: facts.repeated.length,
    ...(mode.share ? { share: true } : {}),
    ...(mode.chaos && mode.chaos.length > 0 ? { chaos: mode.chaos } : {}),
    ...(slow ? { slow } : {}),
  }
}

/** An epoch reaches from where the one before it was last seen to where it was itself. */
const epochsOf = ({ allocations, tasks }: RunFacts): readonly EpochSummary[] =>
  allocations.map((one, place) => {
    const sinceMs = allocations[place - 1]?.timeMs ?? -Infinity
    const spans = latencies(
      tasks.filter(({ requestedMs: atMs }) => atMs > sinceMs && atMs <= one.timeMs),
    )
    return {
      ...one,
      agreed: spans.length,
      latencyMs: { p50: percentile(spans, 0.5), p99: percentile(spans, 0.99) },
    }
  })

const summariseTasks = ({ tasks, unsent }: RunFacts): Summary['tasks'] => ({
  sent: tasks.length + sum(unsent.tasks),
  refused: countRefusals(tasks, unsent.tasks),
  agreed: countWith(tasks, 'agreedMs'),
  certified: countWith(tasks, 'certifiedMs'),
  onL1: countWith(tasks, 'onL1Ms'),
  settled: countWith(tasks, 'settledMs'),
  expired: tasks.filter(({ expired }) => expired !== undefined).length,
  latencyMs: {
    agreed: latencyOf(tasks, 'agreedMs'),
    certified: latencyOf(tasks, 'certifiedMs'),
    onL1: latencyOf(tasks, 'onL1Ms'),
    settled: latencyOf(tasks, 'settledMs'),
  },
})

const isLost = (subject: TransactionFacts | TaskFacts): boolean =>
  subject.refused === undefined &&
  subject.onL1Ms === undefined &&
  !('expired' in subject && subject.expired !== undefined)

type Facts = { readonly requestedMs: number }

/** Names of the times that a subject may have reached. */
type TimeOf<Subject> = Exclude<Extract<keyof Subject, `${string}Ms`>, 'requestedMs'>

const countWith = <Subject extends Facts>(
  subjects: readonly Subject[],
  time: TimeOf<Subject>,
): number => subjects.filter((subject) => subject[time] !== undefined).length

function latencyOf<Subject extends Facts>(
  subjects: readonly Subject[],
  time: TimeOf<Subject>,
): Latency {
  const spans = subjects.flatMap((subject) => {
    const atMs: unknown = subject[time]
    return typeof atMs === 'number' ? [Math.max(0, Math.round(atMs - subject.requestedMs))] : []
  })
  return { p50: percentile(spans, 0.5), p99: percentile(spans, 0.99) }
}

function countRefusals(
  subjects: readonly { readonly refused?: string | undefined }[],
  unsent: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const counts: Record<string, number> = { ...unsent }
  for (const { refused } of subjects)
    if (refused !== undefined) counts[refused] = (counts[refused] ?? 0) + 1
  return counts
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)

/** The same for people. */
export function describeSummary(summary: Summary): string {
  const { transactions, tasks, checkpoints, latencyMs, gasPerSubmission } = summary
  const { operators, engine, seconds, blocks, blocksAboveRound0, share, chaos } = summary
  const mode = [share ? 'computations shared' : '', chaos ? `chaos: ${chaos.join(', ')}` : '']
  const lines: readonly (readonly [string, string])[] = [
    [
      'network',
      [`${operators} operators`, engine, `${seconds} s`, ...mode].filter(Boolean).join(', '),
    ],
    ['blocks', `${blocks}, ${blocksAboveRound0} above round 0`],
    [
      'transactions',
      `${transactions.sent} sent, ${refusals(transactions.refused)}, ` +
        `${transactions.confirmed} confirmed, ${transactions.certified} certified, ` +
        `${transactions.onL1} on L1`,
    ],
    ['latency (p50 / p99)', describeLatencies(latencyMs)],
    [
      'tasks',
      `${tasks.sent} sent, ${refusals(tasks.refused)}, ${tasks.agreed} agreed, ` +
        `${tasks.certified} certified, ${tasks.onL1} on L1, ${tasks.settled} settled, ` +
        `${tasks.expired} expired`,
    ],
    ['latency (p50 / p99)', describeLatencies(tasks.latencyMs)],
    [
      'checkpoints',
      `${checkpoints.certified} certified, ${checkpoints.onL1} on L1, ` +
        `${checkpoints.byFallback} by fallback, ${checkpoints.missedWindows} windows missed`,
    ],
    ['work shares', describeShares(summary.allocations)],
    ...(chaos?.includes('slow') ? describeSlow(summary) : []),
    ['gas a submission', `${gasPerSubmission.p50} (median), ${gasPerSubmission.max} (most)`],
    ...(summary.outages ?? []).map(describeOutage),
    ['lost', `${summary.lost}`],
    ['twice', `${summary.twice}`],
  ]
  return lines.map(([name, text]) => `${name.padEnd(20)} ${text}`).join('\n')
}

function describeOutage(outage: RunFacts['outages'][number]): readonly [string, string] {
  const { seconds, blocks, certified, recorded, caughtUpBy, caughtUpMs = 0 } = outage
  const end =
    caughtUpBy === undefined
      ? 'never caught up'
      : `caught up by ${caughtUpBy} after ${(caughtUpMs / 1000).toFixed(1)} s`
  const text = `${blocks} blocks, ${certified} certified, ${recorded} recorded, ${end}`
  return [`without L1 ${seconds} s`, text]
}

/** The newest; and the least that each operator ever had, where that was less. */
function describeShares(allocations: Summary['allocations']): string {
  const newest = allocations.at(-1)
  if (!newest) return 'none seen'
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`
  return Object.entries(newest.shares)
    .map(([id, share]) => {
      const least = Math.min(...allocations.map(({ shares }) => shares[id] ?? 0))
      return `${id}: ${percent(share)}${least < share / 2 ? ` (least ${percent(least)})` : ''}`
    })
    .join(', ')
}

/** Epoch by epoch, and what it came to. */
function describeSlow({ allocations, slow }: Summary): (readonly [string, string])[] {
  const epochs = allocations.map(({ epoch, shares, agreed, latencyMs: { p50, p99 } }) => {
    const parts = Object.entries(shares).map(([id, share]) => `${id}: ${(share * 100).toFixed(1)}`)
    return [
      `epoch ${epoch}`,
      `${parts.join(', ')} %; ${agreed} tasks agreed in ${p50} / ${p99} ms`,
    ] as const
  })
  if (!slow)
    return [...epochs, ['slow', 'too little to tell: it takes --load, and 150 s or longer']]
  const { operator, share, p99Ms, tasks } = slow
  const [before, three, least, end] = [share.before, share.afterThree, share.least, share.end].map(
    (part) => `${(part * 100).toFixed(1)} %`,
  )
  return [
    ...epochs,
    [
      `slow operator ${operator}`,
      `share ${before} before, ${three} after three epochs, ${least} at the least, ${end} at the end`,
    ],
    [
      'task p99',
      `${p99Ms.healthy} ms while all were well (${tasks.healthy} tasks), ${p99Ms.moved} ms once ` +
        `work had moved (${tasks.moved} tasks): ${p99Ms.ratio} ×`,
    ],
  ]
}

const describeLatencies = (latencies: Readonly<Record<string, Latency>>): string =>
  Object.entries(latencies)
    .map(([name, { p50, p99 }]) => `${name} ${p50} / ${p99} ms`)
    .join(', ')

function refusals(refused: Readonly<Record<string, number>>): string {
  const reasons = Object.entries(refused).map(([reason, count]) => `${count} ${reason}`)
  return `${sum(refused)} refused${reasons.length > 0 ? ` (${reasons.join(', ')})` : ''}`
}
