// A network on CometBFT that loses any process at any time: stages of it, one after another.
import { cometRounds, type RoundsReport } from './comet-rounds.ts'
import { type CopiedKeyReport, copyKey } from './copied-key.ts'
import type { Progress } from './progress.ts'

/** How much of each to do. */
export type CometOptions = {
  /** Kills of an operator's application, engine or both. */
  readonly rounds: number
  readonly seed: number
  /** Transactions a second that are offered meanwhile. */
  readonly rate: number
}

/**
 * All that was seen; `ok` when nothing was lost, doubled or parted, and the double voter is out.
 */
export type CometReport = {
  readonly soak: 'cometbft'
  readonly kills: RoundsReport
  readonly copiedKey: CopiedKeyReport
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
  const copiedKey = await copyKey(rate)
  progress.ended('copied key', copiedKey)
  return {
    ...{ soak: 'cometbft', kills, copiedKey },
    seconds: Math.round((performance.now() - startedMs) / 1000),
    ok:
      kills.rounds === rounds &&
      kills.misbehaviour === 0 &&
      kills.control.lost === 1 &&
      [kills, copiedKey].every(isSound),
  }
}

/** What every stage's report must say of itself. */
const isSound = ({ lost, twice, problems }: Stage): boolean =>
  lost + twice === 0 && problems.length === 0

type Stage = {
  readonly lost: number
  readonly twice: number
  readonly problems: readonly string[]
}
