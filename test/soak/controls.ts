// Takes away one guard after another: a checker that finds nothing then would find nothing ever.
import { asBuilt, history, without } from '../support/guard-histories.ts'
import { createWorld } from '../support/operator-lives.ts'

/** In how many of the seeds each control was caught, and what was wrong with nothing removed. */
export type ControlsReport = {
  readonly seeds: number
  /** Violations and losses with every guard in place: must be none. */
  readonly problems: readonly string[]
  /** Seeds in which the checker saw that a guard was missing, by guard. */
  readonly caught: Readonly<Record<string, number>>
}

/** Enough lives that what is not guarded shows. */
const lives = 40

/** @param seeds - histories of one operator with and without each guard. */
export async function runControls(seeds: number): Promise<ControlsReport> {
  const caught = new Map<string, number>(controls.map((name) => [name, 0]))
  const count = (name: string) => caught.set(name, (caught.get(name) ?? 0) + 1)
  const problems: string[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const sound = await history(createWorld(seed), asBuilt, { lives })
    problems.push(...sound.checker.violations.map((one) => `seed ${seed}: ${one}`))
    if (sound.emptySlots > 0) problems.push(`seed ${seed}: ${sound.emptySlots} slots stayed empty`)
    for (const [purpose, guarding] of Object.entries(without)) {
      const world = await history(createWorld(seed), guarding, { lives, cutsLog: true })
      if (world.checker.violations.length > 0) count(purpose)
    }
    if (await isCaughtWithoutSyncs(seed)) count('sync')
  }
  return { seeds, problems, caught: Object.fromEntries(caught) }
}

/** A disk that ignores syncs loses what was acknowledged, or lets it be signed twice. */
async function isCaughtWithoutSyncs(seed: number): Promise<boolean> {
  const world = createWorld(seed, { faith: { syncs: 'ignored' } })
  try {
    await history(world, asBuilt, { lives })
  } catch {
    return true // a saved block was lost
  }
  return world.checker.violations.length > 0
}

/** Guards that are taken away. */
export const controls: readonly string[] = [...Object.keys(without), 'sync']

/** A control that is caught in fewer seeds than this says nothing. */
export const caughtShare = 0.95
