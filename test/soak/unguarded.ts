// The control of the kill rounds: the same network, whose operators forget at every kill what they
// have signed. The checkers must see what it leads to.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { createDisk, guardFile, openGuard } from '#node'
import { networkId } from '#records'
import { silentLogger } from '../support/manual-clock.ts'
import { random } from '../support/random.ts'
import { type KilledNetwork, openKilledNetwork } from './killed-network.ts'
import { byPurpose } from './tally.ts'

/** What the checkers saw of a network without guards. */
export type UnguardedReport = {
  /** Kills until each purpose was caught. */
  readonly rounds: number
  /** Positions signed for two things, by purpose. */
  readonly caught: Readonly<Record<Purpose, number>>
}

/**
 * Purposes whose guard a kill can show to be missing. The others are doubly safe, so that only a
 * history of one operator can show it: a start draws fresh threshold nonces, and counts the
 * sequences of its reports from the clock.
 */
export const guarded = ['vote', 'transaction'] as const
type Purpose = (typeof guarded)[number]

/** How long a round serves at most; L1 makes no blocks in the last part. */
const servingMs = 2_500
const heldMs = 1_200

/** How much to do. */
export type UnguardedOptions = {
  /** Kills at most. */
  readonly rounds: number
  readonly rate: number
  readonly port: number
  readonly seed: number
}

/**
 * Operators without memory may part so far that their network cannot go on: what was seen counts,
 * and a new network takes its place until everything was.
 *
 * @param progress - told after each kill.
 */
export async function killUnguarded(
  options: UnguardedOptions,
  progress: (done: number, of: number) => void = () => {},
): Promise<UnguardedReport> {
  const next = random(options.seed)
  const caught: Record<Purpose, number> = { vote: 0, transaction: 0 }
  let rounds = 0
  const isOver = (seen: Readonly<Record<Purpose, number>>) =>
    rounds >= options.rounds || guarded.every((purpose) => seen[purpose] > 0)
  while (!isOver(caught)) {
    const network = await openKilledNetwork(options.rate, options.port)
    const seen = () =>
      byPurpose(guarded, (purpose) => caught[purpose] + network.checker.doubled(purpose))
    try {
      while (!isOver(seen())) {
        rounds++
        await killOnce(network, next)
        progress(rounds, options.rounds)
        await startAgain(network)
      }
    } catch {
      // It does not serve again.
    } finally {
      await network.load.stop()
      await network.close()
    }
    Object.assign(caught, seen())
  }
  return { rounds, caught }
}

async function killOnce(network: KilledNetwork, next: () => number): Promise<void> {
  await pass(heldMs + next() * (servingMs - heldMs))
  await network.setMining(false)
  await pass(heldMs)
  await network.kill().catch(() => {}) // whatever is wrong with its files is no news here
  await forget(network)
}

async function startAgain(network: KilledNetwork): Promise<void> {
  network.start()
  await network.requireServing()
  await pass(heldMs)
  await network.setMining(true)
}

/** Takes away what all operators know of what they signed: the guard, and the votes in the log. */
async function forget({ data, genesis }: KilledNetwork): Promise<void> {
  for (const { name, consensusKey } of genesis.operators) {
    const folder = join(data, name)
    for (const file of [guardFile, 'consensus.log']) rmSync(join(folder, file), { force: true })
    const guard = await openGuard({
      ...{ disk: createDisk(folder), networkId: networkId(genesis), operator: consensusKey },
      ...{ init: true, rng: (length) => new Uint8Array(length), logger: silentLogger },
    })
    await guard.close()
  }
}
