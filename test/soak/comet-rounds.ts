// Rounds of `kill -9` and of SIGSTOP on a network that runs on CometBFT, under load.
import { setTimeout as pass } from 'node:timers/promises'
import { type Hex, sha256Hex, utf8 } from '#primitives'
import { random } from '../support/random.ts'
import { freeze, killPart, killStarting, type Part, parts } from './comet-faults.ts'
import { type CometNetwork, openCometNetwork } from './comet-network.ts'
import { settle } from './settling.ts'
import { byPurpose, type Continuity, maxTold, servingMs, told } from './tally.ts'

/** What became of the rounds. */
export type RoundsReport = {
  /** Rounds with a kill, by what was killed; of these, killed again while it started. */
  readonly rounds: number
  readonly kills: Readonly<Record<Part, number>>
  readonly early: number
  /** Times that one operator, or two of four, stood still. */
  readonly partitions: { readonly one: number; readonly two: number }
  /** The longest time from a fault's end until all operators served and decided again. */
  readonly longestRecoveryMs: number
  /** Transactions and tasks whose hash or id was returned. */
  readonly accepted: number
  /** Of these, neither on L1 nor ended with a recorded reason. */
  readonly lost: number
  /** Hashes in two L2 blocks, leaves executed twice on L1. */
  readonly twice: number
  /** Positions signed, by purpose, and those signed for two things. */
  readonly signed: Readonly<Record<Purpose, number>>
  readonly double: Readonly<Record<Purpose, number>>
  /** Proofs of double votes that blocks hold. */
  readonly misbehaviour: number
  /** L1 transactions that raise the fees of another and are otherwise the same. */
  readonly raised: number
  /** Blocks, and contradictions between what operators showed of them at any time. */
  readonly blocks: Continuity
  readonly l2Blocks: Continuity
  /** A hash that nobody was ever sent is called lost: whoever finds nothing must have looked. */
  readonly control: { readonly lost: number }
  /** What is wrong, in words. */
  readonly problems: readonly string[]
  readonly seconds: number
}

/** A commit's precommits, reports in blocks and in the guard, nonces there, L1 transactions. */
const purposes = ['vote', 'report', 'recorded report', 'recorded nonce', 'transaction'] as const
type Purpose = (typeof purposes)[number]

/** Share of the kills of an application after which it is killed while it starts. */
const earlyShare = 0.25
/** A start takes about so long. */
const startMs = 3_000
/** After every so many kills somebody stands still: one operator, then two, by turns. */
const roundsPerPartition = 4
/** What is on its way when operators stop may still be decided; then nothing is. */
const onItsWayMs = 2_000
const stillMs = 4_000

/** How much to do. */
export type RoundsOptions = {
  readonly rounds: number
  /** Transactions a second. */
  readonly rate: number
  readonly seed: number
}

/** @param progress - told after each kill. */
export async function cometRounds(
  options: RoundsOptions,
  progress: (done: number, of: number) => void = () => {},
): Promise<RoundsReport> {
  const startedMs = performance.now()
  const network = await openCometNetwork(options.rate)
  try {
    const counts = emptyCounts()
    const failure = await runRounds(network, options, counts, progress).then(() => [], told)
    const ended = await conclude(network).catch((error) => ({
      ...{ accepted: 0, lost: 0, twice: 0, problems: told(error), control: { lost: 0 } },
    }))
    return {
      ...counts,
      ...countsOf(network),
      ...ended,
      twice: ended.twice + network.chain.twice.length,
      problems: [...failure, ...counts.problems, ...ended.problems, ...network.problems()].slice(
        0,
        maxTold,
      ),
      seconds: Math.round((performance.now() - startedMs) / 1000),
    }
  } finally {
    await network.close()
  }
}

const emptyCounts = () => ({
  rounds: 0,
  early: 0,
  kills: { application: 0, engine: 0, both: 0 },
  partitions: { one: 0, two: 0 },
  longestRecoveryMs: 0,
  problems: [] as string[],
})
type Counts = ReturnType<typeof emptyCounts>

type Round = {
  readonly network: CometNetwork
  readonly counts: Counts
  readonly next: () => number
}

async function runRounds(
  network: CometNetwork,
  { rounds, seed }: RoundsOptions,
  counts: Counts,
  progress: (done: number, of: number) => void,
): Promise<void> {
  const round: Round = { network, counts, next: random(seed) }
  while (counts.rounds < rounds) {
    await pass(round.next() * servingMs)
    await killOne(round)
    await recover(round)
    counts.rounds++
    if (counts.rounds % roundsPerPartition === 0) {
      const isOne = (counts.rounds / roundsPerPartition) % 2 === 1
      await (isOne ? standStillOne(round) : standStillTwo(round))
      await recover(round)
    }
    progress(counts.rounds, rounds)
  }
}

async function recover({ network, counts }: Round): Promise<void> {
  counts.longestRecoveryMs = Math.max(counts.longestRecoveryMs, await network.goesOn())
  await network.look()
}

async function killOne({ network, counts, next }: Round): Promise<void> {
  const [id, part] = [pick(network.operators, next), pick(parts, next)]
  counts.kills[part]++
  if (part === 'application' && next() < earlyShare) {
    counts.early++
    await killStarting(network, id, next() * startMs)
  } else await killPart(network, id, part)
}

/** One of four stands still: the others go on without it. */
async function standStillOne({ network, counts, next }: Round): Promise<void> {
  counts.partitions.one++
  const id = pick(network.operators, next)
  const letGo = freeze(network, [id], pick(parts, next))
  try {
    await network.goesOn(network.operators.filter((other) => other !== id))
  } finally {
    letGo()
  }
}

/** Two of four stand still: the others have no two thirds, and decide nothing. */
async function standStillTwo({ network, counts, next }: Round): Promise<void> {
  counts.partitions.two++
  const first = pick(network.operators, next)
  const rest = network.operators.filter((other) => other !== first)
  const second = pick(rest, next)
  const awake = rest.filter((other) => other !== second)
  const letGo = freeze(network, [first, second], pick(parts, next))
  try {
    await pass(onItsWayMs)
    const before = await network.height(awake)
    await pass(stillMs)
    const after = await network.height(awake)
    if (before === 0 || after !== before)
      counts.problems.push(
        `two of four stood still, and the others went from ${before} to ${after}`,
      )
  } finally {
    letGo()
  }
}

const pick = <T>(from: readonly T[], next: () => number): T =>
  from[Math.floor(next() * from.length)] as T

/** Ends the load, and finds out what became of it; then of a hash that was made up. */
async function conclude(network: CometNetwork) {
  const settled = await network.conclude()
  const { load, devnet, gateways } = network
  const made: Hex = sha256Hex(utf8('never sent'))
  const sent = { id: made, requestedMs: 0, status: 'accepted', reason: '', isUncertain: false }
  const doctored = { ...load.records, transactions: new Map([[made, sent] as const]) }
  const { genesis, l1 } = devnet
  const control = await settle(
    { records: { ...doctored, tasks: new Map() } } as Pick<typeof load, 'records'>,
    { gateways, l1Url: l1.url, outbox: genesis.outbox },
    0,
  )
  return { ...settled, control: { lost: control.lost } }
}

const countsOf = ({ checker, history, chain, l1 }: CometNetwork) => ({
  signed: byPurpose(purposes, (purpose) => checker.seen(purpose)),
  double: byPurpose(purposes, (purpose) => checker.doubled(purpose)),
  misbehaviour: history.proven.length,
  raised: l1.counts().raised,
  blocks: { height: history.height(), broken: history.problems.length },
  l2Blocks: { height: chain.height(), broken: chain.problems.length },
})
