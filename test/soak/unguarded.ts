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

/** What the checkers saw of a network without guards. */
export type UnguardedReport = {
  /** Kills until each purpose was caught, or until the network could not go on. */
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

/**
 * @param rounds - kills at most.
 * @param progress - told after each kill.
 */
export async function killUnguarded(
  options: {
    readonly rounds: number
    readonly rate: number
    readonly port: number
    readonly seed: number
  },
  progress: (done: number, of: number) => void = () => {},
): Promise<UnguardedReport> {
  const network = await openKilledNetwork(options.rate, options.port)
  const { checker } = network
  const isCaught = () => guarded.every((purpose) => checker.doubled(purpose) > 0)
  const next = random(options.seed)
  let rounds = 0
  try {
    while (rounds < options.rounds && !isCaught()) {
      await pass(heldMs + next() * (servingMs - heldMs))
      await network.setMining(false)
      await pass(heldMs)
      await network.kill().catch(() => {}) // whatever is wrong with its files is no news here
      await forget(network)
      progress(++rounds, options.rounds)
      network.start()
      await network.requireServing()
      await pass(heldMs)
      await network.setMining(true)
    }
  } catch {
    // Operators without memory may part so far that they cannot go on: what was seen counts.
  } finally {
    await network.load.stop()
    await network.close()
  }
  const caught = guarded.map((purpose) => [purpose, checker.doubled(purpose)])
  return { rounds, caught: Object.fromEntries(caught) as UnguardedReport['caught'] }
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
