// Kill any process at any instruction, start again: four ways to try it, one after another.
import { type ControlsReport, caughtShare, controls, runControls } from './controls.ts'
import { type DamageReport, damageFiles } from './damage.ts'
import { type KillsReport, killRounds } from './kills.ts'
import { crashAtSteps, crashesUpTo, type StepsReport } from './steps.ts'

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
  readonly steps: StepsReport
  readonly controls: ControlsReport
  readonly damage: DamageReport
  readonly seconds: number
  readonly ok: boolean
}

/** @param progress - told how far each stage has come. */
export async function soakCrash(
  { rounds, steps, seeds, seed, rate, port }: CrashOptions,
  progress: (stage: string, done: number, of: number) => void,
): Promise<CrashReport> {
  const startedMs = performance.now()
  const told = (stage: string, of: number) => (done: number) => progress(stage, done, of)
  const crashes = crashesUpTo(steps)
  const controlled = await runControls(seeds)
  progress('controls', seeds, seeds)
  const stepped = await crashAtSteps(crashes, seed, told('crashes at steps', crashes.length))
  const damaged = await damageFiles(seed, undefined, (done) => progress('damages', done, done))
  const killed = await killRounds({ rounds, rate, port, seed }, told('kills', rounds))
  return {
    soak: 'crash',
    kills: killed,
    steps: stepped,
    controls: controlled,
    damage: damaged,
    seconds: Math.round((performance.now() - startedMs) / 1000),
    ok:
      killed.lost + killed.twice === 0 &&
      [killed, stepped, controlled, damaged].every(({ problems }) => problems.length === 0) &&
      controls.every((name) => (controlled.caught[name] ?? 0) >= caughtShare * seeds),
  }
}
