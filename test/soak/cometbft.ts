// A network on CometBFT that loses any process at any time: stages of it, one after another.
import { cometRounds, type RoundsReport } from './comet-rounds.ts'
import { copyKey } from './copied-key.ts'
import { joinNetwork } from './joined.ts'
import type { Progress } from './progress.ts'

/** How much of each to do. */
export type CometOptions = {
  /** Kills of an operator's application, engine or both. */
  readonly rounds: number
  readonly seed: number
  /** Transactions a second that are offered meanwhile. */
  readonly rate: number
}

/** What every stage's report says of itself. */
type Stage = {
  /** Of what was accepted, neither on L1 nor ended with a recorded reason. */
  readonly lost: number
  readonly twice: number
  /** What is wrong, in words. */
  readonly problems: readonly string[]
}

/** What follows the rounds, each on a network of its own: an entry more is a stage more. */
const scenarios = { copiedKey: copyKey, joined: joinNetwork } as const satisfies Record<
  string,
  (rate: number) => Promise<Stage>
>

/**
 * All that was seen; `ok` when nothing was lost, doubled or parted, the double voter is out, and
 * the joiner takes part.
 */
export type CometReport = {
  readonly soak: 'cometbft'
  readonly kills: RoundsReport
  readonly scenarios: Readonly<Record<string, Stage>>
  readonly seconds: number
  readonly ok: boolean
}

/** Runs one stage after another. */
export async function soakComet(
  { rounds, seed, rate }: CometOptions,
  progress: Progress,
): Promise<CometReport> {
  const startedMs = performance.now()
  const kills = await cometRounds({ rounds, seed, rate }, (done, of) =>
    progress.step('kills and partitions', done, of),
  )
  progress.ended('kills and partitions', kills)
  const played = new Map<string, Stage>()
  for (const [name, play] of Object.entries(scenarios)) {
    const report = await play(rate)
    played.set(name, report)
    progress.ended(name, report)
  }
  return {
    ...{ soak: 'cometbft', kills, scenarios: Object.fromEntries(played) },
    seconds: Math.round((performance.now() - startedMs) / 1000),
    ok:
      kills.rounds === rounds &&
      kills.misbehaviour === 0 &&
      kills.control.lost === 1 &&
      [kills, ...played.values()].every(isSound),
  }
}

const isSound = ({ lost, twice, problems }: Stage): boolean =>
  lost + twice === 0 && problems.length === 0
