import { paperLines } from '#consensus'
import { idealCrypto, realCrypto } from '../support/ledger-crypto.ts'
import type { Violation } from './checker.ts'
import type { Control } from './controls.ts'
import { createLedgerApplication } from './ledger.ts'
import { ledgerPlanOf, type Plan, planOf, sizes } from './plan.ts'
import { type Run, simulate } from './simulate.ts'
import type { Counts } from './world.ts'

/** Which runs to make. */
export type Campaign = {
  readonly seed: number
  readonly seeds: number
  /** Validators of the genesis; undefined lets each seed choose. */
  readonly operators: number | undefined
  readonly control: Control | undefined
  /** Whether the whole ledger runs on top. */
  readonly ledger: boolean
  readonly signatures: Plan['signatures']
}

/** What many runs showed. */
export type Report = {
  /** Runs in which a property of safety did not hold, by their first violation. */
  readonly violated: readonly Failure[]
  /** Runs that did not get on after faults had ended. */
  readonly stuck: readonly Failure[]
  /** Runs in which the control's property broke. */
  readonly broken: number
  readonly heights: number
  /** By number of operators. */
  readonly bySize: ReadonlyMap<number, SizeReport>
  readonly counts: Counts
  /** What the ledger counted, by name. */
  readonly applied: Readonly<Record<string, number>>
  /** Lines of the paper that no run visited. */
  readonly unvisitedLines: readonly number[]
  /** Of all events of all runs. */
  readonly digest: string
}

/** What the runs with one number of operators showed. */
export type SizeReport = { seeds: number; broken: number; heights: number; seconds: number }

/** A run that failed: its seed makes it again. */
export type Failure = { readonly seed: number; readonly violation: Violation }

/** Runs one seed of a campaign. */
export function runSeed(campaign: Campaign, seed: number, traced = false): Run {
  const { control, operators, ledger, signatures } = campaign
  const plan = control
    ? { ...control.plan(seed, operators ?? inTurn(seed)), signatures }
    : ledger
      ? ledgerPlanOf(seed, operators, signatures)
      : { ...planOf(seed, operators), signatures }
  const crypto = signatures === 'real' ? realCrypto : idealCrypto
  return simulate(plan, {
    traced,
    ...(control && { until: control.breaks }),
    ...((ledger || control?.tamper) && {
      application: createLedgerApplication(plan.size, crypto, control?.tamper),
    }),
  })
}

/** A control's runs go through the sizes when none is asked for. */
const inTurn = (seed: number): number => sizes[seed % sizes.length] as number

/** Runs all seeds of a campaign, one after the other. */
export function runCampaign(campaign: Campaign): Report {
  const { seed: first, seeds, control } = campaign
  const violated: Failure[] = []
  const stuck: Failure[] = []
  const visited = new Set<number>()
  const counts: Counts = {
    messages: 0,
    parts: 0,
    lost: 0,
    crashes: 0,
    evidence: 0,
    highestRound: 0,
  }
  const applied: Record<string, number> = {}
  const bySize = new Map<number, SizeReport>()
  let [broken, heights, digest] = [0, 0, 0]
  for (let seed = first; seed < first + seeds; seed++) {
    const startedMs = performance.now()
    const run = runSeed(campaign, seed)
    const { violations } = run
    const isBroken = control && violations.some(({ property }) => property === control.breaks)
    if (isBroken) broken++
    const size = bySize.get(run.size) ?? { seeds: 0, broken: 0, heights: 0, seconds: 0 }
    size.seeds++
    if (isBroken) size.broken++
    size.heights += run.heights
    size.seconds += (performance.now() - startedMs) / 1000
    bySize.set(run.size, size)
    const [violation] = violations
    if (violation?.property === 'liveness') stuck.push({ seed, violation })
    else if (violation) violated.push({ seed, violation })
    heights += run.heights
    addCounts(counts, run.counts)
    for (const [name, count] of Object.entries(run.applied))
      applied[name] = (applied[name] ?? 0) + count
    for (const line of run.lines) visited.add(line)
    digest = Math.imul(digest ^ Number.parseInt(run.digest, 16), 0x01000193)
  }
  return {
    ...{ violated, stuck, broken, heights, bySize, counts, applied },
    unvisitedLines: paperLines.filter((line) => !visited.has(line)),
    digest: (digest >>> 0).toString(16).padStart(8, '0'),
  }
}

function addCounts(sum: Counts, one: Counts): void {
  const { messages, parts, lost, crashes, evidence, highestRound } = one
  sum.messages += messages
  sum.parts += parts
  sum.lost += lost
  sum.crashes += crashes
  sum.evidence += evidence
  sum.highestRound = Math.max(sum.highestRound, highestRound)
}
