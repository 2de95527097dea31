import type { OperatorEpoch, Run, ServiceEpoch } from './facts.ts'
import { percentile } from './percentile.ts'
import type { Simulation } from './simulate.ts'

/** A figure over all runs. */
export type Spread = { readonly mean: number; readonly least: number; readonly most: number }

/** What a simulation came to, in figures: over whole runs, unless a name says otherwise. */
export type SimulationSummary = {
  readonly name: string
  readonly seeds: readonly number[]
  readonly epochs: number
  readonly operators: readonly OperatorSummary[]
  readonly services: readonly ServiceSummary[]
  /** Largest gap of an allocation in force to the best one, in millionths. */
  readonly gapPpm: number
}

/** What became of one operator. */
export type OperatorSummary = { readonly name: string } & Readonly<
  Record<
    // Part of all places that was meant for it in the last epoch, and that it was drawn for.
    | 'endShare'
    | 'work'
    | 'endTrust'
    // Places.
    | 'drawn'
    | 'late'
    | 'missing'
    | 'outlying'
    // Results that audits confirmed, and contradicted.
    | 'upheld'
    | 'refuted'
    // Money.
    | 'earned'
    | 'spent'
    | 'profit',
    Spread
  >
>

/** What became of one service's tasks. */
export type ServiceSummary = { readonly name: string } & Readonly<
  Record<
    | 'asked'
    | 'refused'
    | 'agreed'
    | 'expired'
    | 'redrawn'
    // Median epoch's median, and the worst epoch's 99th percentile.
    | 'p50Ms'
    | 'worstP99Ms',
    Spread
  >
>

/** Adds up a simulation. */
export function summariseSimulation({ scenario, runs }: Simulation): SimulationSummary {
  return {
    name: scenario.name,
    seeds: runs.map(({ seed }) => seed),
    epochs: scenario.epochs,
    operators: scenario.operators.map(({ name }, place) => operatorSummary(name, place, runs)),
    services: scenario.services.map(({ name }, place) => serviceSummary(name, place, runs)),
    gapPpm: runs
      .flatMap(({ epochs }) => epochs.map(({ allocation }) => allocation.gapPpm ?? 0))
      .reduce((a, b) => Math.max(a, b), 0),
  }
}

function operatorSummary(name: string, place: number, runs: readonly Run[]): OperatorSummary {
  const lives = runs.map(({ epochs }) =>
    epochs.flatMap(({ operators }) => operators.slice(place, place + 1)),
  )
  const total = (of: (one: OperatorEpoch) => number) =>
    spreadOf(lives.map((life) => sumOf(life.map(of))))
  const last = (of: (one: OperatorEpoch) => number) =>
    spreadOf(lives.map((life) => life.slice(-1).map(of)[0] ?? 0))
  return {
    name,
    endShare: last(({ share }) => share),
    work: spreadOf(
      runs.map(({ epochs }) => {
        const drawn = epochs.map(({ operators }) => operators.map((one) => one.drawn))
        const all = sumOf(drawn.flat())
        return all === 0 ? 0 : sumOf(drawn.map((one) => one[place] ?? 0)) / all
      }),
    ),
    endTrust: last(({ trust }) => trust),
    drawn: total(({ drawn }) => drawn),
    late: total(({ late }) => late),
    missing: total(({ missing }) => missing),
    outlying: total(({ outlying }) => outlying),
    upheld: total(({ upheld }) => upheld),
    refuted: total(({ refuted }) => refuted),
    earned: total(({ earned }) => earned),
    spent: total(({ spent }) => spent),
    profit: total(({ earned, spent }) => earned - spent),
  }
}

function serviceSummary(name: string, place: number, runs: readonly Run[]): ServiceSummary {
  const lives = runs.map(({ epochs }) =>
    epochs.flatMap(({ services }) => services.slice(place, place + 1)),
  )
  const total = (of: (one: ServiceEpoch) => number) =>
    spreadOf(lives.map((life) => sumOf(life.map(of))))
  const overEpochs = (part: number, of: 'p50' | 'p99') =>
    spreadOf(lives.map((life) => percentile(latenciesOf(life, of), part)))
  return {
    name,
    asked: total(({ asked }) => asked),
    refused: total(({ refused }) => refused),
    agreed: total(({ agreed }) => agreed),
    expired: total(({ expired }) => expired),
    redrawn: total(({ redrawn }) => redrawn),
    p50Ms: overEpochs(0.5, 'p50'),
    worstP99Ms: overEpochs(1, 'p99'),
  }
}

const latenciesOf = (life: readonly ServiceEpoch[], of: 'p50' | 'p99'): readonly number[] =>
  life.flatMap(({ latencyMs }) => (latencyMs ? [latencyMs[of]] : []))

/** Mean, least and most. */
export function spreadOf(values: readonly number[]): Spread {
  return {
    mean: values.length === 0 ? 0 : sumOf(values) / values.length,
    least: Math.min(...values),
    most: Math.max(...values),
  }
}

const sumOf = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)
