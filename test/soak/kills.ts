// Rounds of `kill -9` of a devnet under load, on one folder: what was accepted, signed and decided
// is known outside, and must still be so at the end.
import { setTimeout as pass } from 'node:timers/promises'
import { random } from '../support/random.ts'
import { type KilledNetwork, openKilledNetwork } from './killed-network.ts'
import { type Endings, followEndings, settle } from './settling.ts'
import { byPurpose, type Continuity, maxTold, servingMs, told } from './tally.ts'

/** What became of the rounds. */
export type KillsReport = {
  /** Kills; of these, while it was starting, while L1 made no blocks, and of L1 too. */
  readonly rounds: number
  readonly early: number
  readonly withoutL1Blocks: number
  readonly withL1: number
  /** Transactions and tasks whose hash or id was returned. */
  readonly accepted: number
  /** Of these, neither on L1 nor ended with a recorded reason. */
  readonly lost: number
  /** Hashes in two L2 blocks, leaves executed twice on L1. */
  readonly twice: number
  /** Positions signed, by purpose; threshold nonces by session and by nonce. */
  readonly signed: Readonly<Record<Purpose, number>>
  /** Positions signed for two things, by purpose. */
  readonly double: Readonly<Record<Purpose, number>>
  /** L1 transactions that raise the fees of another and are otherwise the same. */
  readonly raised: number
  /** Blocks, and those that were found with another app hash later, or gone. */
  readonly blocks: Continuity
  /** L2 blocks, and those that were found with another hash or state root later, or gone. */
  readonly l2Blocks: Continuity
  /** What is wrong, in words. */
  readonly problems: readonly string[]
  readonly seconds: number
}

const purposes = ['vote', 'report', 'share', 'nonce', 'transaction'] as const
type Purpose = (typeof purposes)[number]

/** Share of the rounds that are killed while they start, at any moment of a start. */
const earlyShare = 0.2
/**
 * Share of the rounds in which L1 makes no block for so long before the kill, and for so long at
 * most after the next start: what was sent waits in L1's pool for another process.
 */
const heldShare = 0.3
const heldMs = 1_200
/** Share of the rounds in which L1 is killed too: it forgets its last second or two. */
const withL1Share = 0.1

/** How much to do. */
export type KillsOptions = {
  /** Kills; one more start follows, which ends as asked. */
  readonly rounds: number
  /** Transactions a second. */
  readonly rate: number
  /** Of the first gateway. */
  readonly port: number
  readonly seed: number
}

/** @param progress - told after each kill. */
export async function killRounds(
  options: KillsOptions,
  progress: (done: number, of: number) => void = () => {},
): Promise<KillsReport> {
  const startedMs = performance.now()
  const network = await openKilledNetwork(options.rate, options.port)
  try {
    const counts = { rounds: 0, early: 0, withoutL1Blocks: 0, withL1: 0 }
    const endings = followEndings(network.load, network.gateways)
    const failure = await runRounds({ network, endings }, options, counts, progress).then(
      () => [],
      told,
    )
    const ended = await conclude(network, endings).catch((error) => ({
      ...{ accepted: 0, lost: 0, twice: 0, problems: told(error) },
    }))
    return {
      ...counts,
      ...countsOf(network),
      ...ended,
      twice: ended.twice + network.chain.twice.length,
      problems: [...failure, ...ended.problems, ...problemsOf(network)].slice(0, maxTold),
      seconds: Math.round((performance.now() - startedMs) / 1000),
    }
  } finally {
    await network.close()
  }
}

type Counts = { rounds: number; early: number; withoutL1Blocks: number; withL1: number }

async function runRounds(
  { network, endings }: { readonly network: KilledNetwork; readonly endings: Endings },
  { rounds, seed }: KillsOptions,
  counts: Counts,
  progress: (done: number, of: number) => void,
): Promise<void> {
  const next = random(seed)
  let startMs = servingMs
  let isHeld = false
  for (; counts.rounds < rounds; counts.rounds++, progress(counts.rounds, rounds)) {
    const isEarly = counts.rounds > 0 && next() < earlyShare
    if (isEarly) {
      counts.early++
      await pass(next() * startMs)
    } else {
      const beganMs = performance.now()
      await network.requireServing()
      startMs = performance.now() - beganMs || startMs
      await pass(next() * servingMs)
      if (isHeld) await network.setMining(true)
      isHeld = next() < heldShare
      if (isHeld) {
        counts.withoutL1Blocks++
        await network.setMining(false)
        await pass(heldMs)
      }
      await network.chain.look()
      await endings.look()
    }
    await network.kill()
    if (next() < withL1Share) {
      counts.withL1++
      network.killL1()
      isHeld = false
    }
    network.start()
  }
  await network.requireServing()
  await network.setMining(true)
}

/** Ends the load, and finds out what became of it. */
async function conclude(network: KilledNetwork, endings: Endings) {
  const { load, gateways, l1Url, genesis, chain } = network
  await load.stop()
  const endpoints = { gateways, l1Url: l1Url(), outbox: genesis.outbox }
  const settled = await settle(load, endpoints, undefined, endings)
  await chain.lookAgain()
  await network.end()
  return settled
}

const countsOf = ({ checker, folders, chain, l1 }: KilledNetwork) => ({
  signed: byPurpose(purposes, (purpose) => checker.seen(purpose)),
  double: byPurpose(purposes, (purpose) => checker.doubled(purpose)),
  raised: l1.counts().raised,
  blocks: { height: folders.height(), broken: folders.problems.length },
  l2Blocks: { height: chain.height(), broken: chain.problems.length },
})

const problemsOf = ({ checker, folders, chain }: KilledNetwork): readonly string[] => [
  ...checker.violations,
  ...folders.problems,
  ...chain.problems,
]
