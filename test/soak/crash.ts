// Kill any process at any instruction, start again: ways to try it, one after another.
import { type ControlsReport, caughtShare, controls, runControls } from './controls.ts'
import { type DamageReport, damageFiles } from './damage.ts'
import { type KillsReport, killRounds } from './kills.ts'
import type { Progress } from './progress.ts'
import { crashAtSteps, crashesAtCommits, crashesUpTo, type StepsReport } from './steps.ts'
import { guarded, killUnguarded, type UnguardedReport } from './unguarded.ts'

/** How much of each to do. */
export type CrashOptions = {
  /** Kills of a whole devnet. */
  readonly rounds: number
  /** Durable steps of an operator's life, at each of which it crashes four times. */
  readonly steps: number
  /** Histories of one operator, with and without each guard. */
  readonly seeds: number
  readonly seed: number
  /** Transactions a second that are offered while devnets are killed. */
  readonly rate: number
  /** First gateway of the devnets that are killed. */
  readonly port: number
}

/** All that was seen; `ok` when nothing was lost, doubled, broken or left uncaught. */
export type CrashReport = {
  readonly soak: 'crash'
  readonly kills: KillsReport
  readonly unguarded: UnguardedReport
  readonly steps: StepsReport
  readonly controls: ControlsReport
  readonly damage: DamageReport
  readonly seconds: number
  readonly ok: boolean
}

/** Runs one stage after another. */
export async function soakCrash(
  { rounds, steps, seeds, seed, rate, port }: CrashOptions,
  progress: Progress,
): Promise<CrashReport> {
  const startedMs = performance.now()
  const stage = async <T extends object>(name: string, run: (told: Told) => Promise<T>) => {
    const report = await run((done, of) => progress.step(name, done, of))
    progress.ended(name, report)
    return report
  }
  const kills = { rate, port, seed }
  const killed = await stage('kills', (told) => killRounds({ rounds, ...kills }, told))
  const unguarded = await stage('kills without guards', (told) =>
    killUnguarded({ rounds: maxUnguarded, ...kills }, told),
  )
  const stepped = await stage('crashes at steps', (told) =>
    crashAtSteps([...crashesAtCommits, ...crashesUpTo(steps)], seed, told),
  )
  const damaged = await stage('damages', (told) => damageFiles(seed, undefined, told))
  const controlled = await stage('controls', () => runControls(seeds))
  return {
    soak: 'crash',
    kills: killed,
    unguarded,
    steps: stepped,
    damage: damaged,
    controls: controlled,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    ok:
      killed.rounds === rounds &&
      killed.lost + killed.twice === 0 &&
      [killed, stepped, controlled, damaged].every(({ problems }) => problems.length === 0) &&
      guarded.every((purpose) => unguarded.caught[purpose] > 0) &&
      controls.every((name) => (controlled.caught[name] ?? 0) >= caughtShare * seeds),
  }
}

type Told = (done: number, of: number) => void

/** Kills of a network without guards until it counts as not caught. */
const maxUnguarded = 30
