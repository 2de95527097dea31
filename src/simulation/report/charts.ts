import type { Epoch } from '../facts.ts'
import type { Simulation } from '../simulate.ts'
import { happenings } from './happenings.ts'
import { curveOf, operatorCurves } from './series.ts'
import { type Axis, type Curve, drawChart, drawHeatMap } from './svg.ts'

/** A drawing with what it shows, in a sentence or two. */
export type Drawing = { readonly svg: string; readonly words: string }

/** Every drawing of a report, in order. */
export function chartsOf(simulation: Simulation): readonly Drawing[] {
  return [
    shares(simulation),
    workByEpoch(simulation),
    trust(simulation),
    scores(simulation),
    throughput(simulation),
    latency(simulation),
    failures(simulation),
    money(simulation),
    capacityPrices(simulation),
    demandPrices(simulation),
    allocation(simulation),
    nash(simulation),
  ]
}

const shares = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Share of all committee places, by the allocation in force',
    label: 'percent',
    curves: operatorCurves(simulation, (epoch, place) => times(100, epoch.operators[place]?.share)),
  }),
  words:
    'Who serves well, at low cost, has more. Nobody who can serve falls below the probe, so that ' +
    'who recovers can show it.',
})

const trust = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Trust',
    label: 'mean over its services',
    high: 1,
    curves: operatorCurves(simulation, (epoch, place) => epoch.operators[place]?.trust),
  }),
  words: 'A Beta reputation: ½ for a newcomer; a broken duty weighs three kept ones.',
})

const scores = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Score: ½ agreement + ½ timeliness × latency',
    label: 'mean over its services',
    high: 1,
    curves: operatorCurves(simulation, ({ operators }, place) => {
      const { agreement = 0, timeliness = 0, latency = 0 } = operators[place] ?? {}
      return 0.5 * agreement + 0.5 * timeliness * latency
    }),
  }),
  words: 'Moving averages of what the ledger saw, with a half-life of five observations.',
})

const throughput = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Tasks in an epoch',
    label: 'tasks',
    curves: simulation.scenario.services.flatMap(({ name }, place) => [
      curveOf(`${name}: agreed`, simulation, ({ services }) => services[place]?.agreed),
      {
        ...curveOf(`${name}: asked`, simulation, ({ services }) => services[place]?.asked),
        isFaint: true,
      },
    ]),
  }),
  words: 'Agreed on by a committee, and in grey what clients asked for.',
})

const latency = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Latency of tasks, from acceptance to agreement',
    label: 'seconds',
    curves: simulation.scenario.services.flatMap(({ name }, place) =>
      (['p50', 'p99'] as const).map((part) =>
        curveOf(`${name}: ${part}`, simulation, ({ services }) => {
          const spans = services[place]?.latencyMs
          return spans && spans[part] / 1000
        }),
      ),
    ),
  }),
  words: 'Median and 99th percentile of each epoch, in whole blocks.',
})

const failures = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Places that were not kept: late, missing or outlying',
    label: 'percent of those drawn for',
    curves: operatorCurves(simulation, ({ operators }, place) => {
      const { drawn = 0, kept = 0 } = operators[place] ?? {}
      return drawn === 0 ? undefined : (100 * (drawn - kept)) / drawn
    }),
  }),
  words: 'Nothing where an operator was not drawn.',
})

function money(simulation: Simulation): Drawing {
  const { runs } = simulation
  const added = (place: number, upTo: Epoch): number => {
    const run = runs.find(({ epochs }) => epochs.includes(upTo))
    return (run?.epochs ?? [])
      .filter(({ epoch }) => epoch <= upTo.epoch)
      .reduce((sum, { operators }) => {
        const { earned = 0, spent = 0 } = operators[place] ?? {}
        return sum + earned - spent
      }, 0)
  }
  return {
    svg: overEpochs(simulation, {
      title: 'Profit so far: fees less the cost of work',
      label: 'money',
      curves: operatorCurves(simulation, (epoch, place) => added(place, epoch)),
    }),
    words: 'Only those whose result agrees are paid. Does it pay to cheat?',
  }
}

const capacityPrices = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'λ: what one more place of capacity would earn',
    label: 'money a place',
    curves: operatorCurves(simulation, (epoch, place) => epoch.operators[place]?.capacityPrice),
  }),
  words: 'Above nothing where an operator is full. The operator who is dearest should grow first.',
})

const demandPrices = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'μ: what one more place to fill would earn',
    label: 'money a place',
    curves: simulation.scenario.services.map(({ name }, place) =>
      curveOf(name, simulation, ({ services }) => services[place]?.demandPrice),
    ),
  }),
  words:
    'Below nothing where more work is served at a loss, or leaves places empty: then more ' +
    'operators are wanted, or a higher fee.',
})

const nash = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Nash equilibrium against optimum',
    label: 'part of the best welfare',
    low: -1,
    high: 1,
    curves: [
      curveOf('optimum', simulation, () => 1),
      curveOf('Nash', simulation, ({ allocation: { nashOverOptimum } }) => nashOverOptimum),
    ],
  }),
  words:
    'What would be left of the welfare if operators chose their work for themselves and shared ' +
    'each service’s fees by what they did: each also takes from the others’ pay, so that they do ' +
    'too much. Below nothing, the work costs more than it is worth.',
})

function workByEpoch({ scenario, runs }: Simulation): Drawing {
  const { operators } = scenario
  const epochs = runs[0]?.epochs ?? []
  const work = operators.map((_, place) =>
    epochs.map((_, at) => meanOf(runs.map((run) => run.epochs[at]?.operators[place]?.work ?? 0))),
  )
  const most = Math.max(...work.flat(), Number.MIN_VALUE)
  return {
    svg: drawHeatMap({
      title: 'Who did the work, epoch by epoch',
      rows: operators.map(({ name }) => name),
      columns: epochs.map(({ epoch }) => String(epoch)),
      values: Float64Array.from(work.flat(), (part) => part / most),
      legend: `White: drawn for no place. Dark: ${(100 * most).toFixed(0)} % of all places.`,
    }),
    words: 'Places that operators were drawn for.',
  }
}

function allocation({ scenario, runs }: Simulation): Drawing {
  const { operators, services } = scenario
  const values = operators.flatMap((_, place) =>
    services.map((_, t) =>
      meanOf(runs.map(({ epochs }) => epochs.at(-1)?.operators[place]?.shares[t] ?? 0)),
    ),
  )
  return {
    svg: drawHeatMap({
      title: 'The last allocation: who serves what',
      rows: operators.map(({ name }) => name),
      columns: services.map(({ name }) => name),
      values: Float64Array.from(values),
      legend: 'White: in no committee of the service. Dark: in every one.',
    }),
    words: 'Part of a service’s tasks whose committee an operator sits in.',
  }
}

/** A chart over a run's epochs, with its events marked. */
function overEpochs(
  { scenario }: Simulation,
  chart: {
    readonly title: string
    readonly label: string
    readonly low?: number
    readonly high?: number
    readonly curves: readonly Curve[]
  },
): string {
  const values = chart.curves.flatMap(({ points, band = [] }) => [
    ...points.map(([, y]) => y),
    ...band.flatMap(([, low, high]) => [low, high]),
  ])
  const bottom = chart.low ?? Math.min(0, ...values)
  const top = chart.high ?? Math.max(...values)
  const x: Axis = { label: 'epoch', ...epochAxis(scenario.epochs) }
  const y: Axis = { label: chart.label, ...roundAxis(bottom, top) }
  return drawChart({
    title: chart.title,
    x,
    y,
    curves: chart.curves,
    marks: happenings(scenario).map(({ epoch }, k) => ({ at: epoch, label: String(k + 1) })),
  })
}

/** From nought in steps that are whole. */
function epochAxis(epochs: number): Pick<Axis, 'low' | 'high' | 'parts'> {
  const step = Math.max(1, Math.ceil(epochs / 8))
  const parts = Math.ceil(epochs / step)
  return { low: 0, high: step * parts, parts }
}

/** Ticks at whole multiples of 1, 2 or 5 times a power of ten, four or more of them. */
function roundAxis(bottom: number, top: number): Pick<Axis, 'low' | 'high' | 'parts'> {
  const span = top > bottom ? top - bottom : 1
  const power = Number(`1e${Math.floor(Math.log10(span / 4))}`)
  const digit = [5, 2, 1].find((one) => one * power * 4 <= span) ?? 1
  const step = digit * power
  const [first, last] = [Math.floor(bottom / step + 1e-9), Math.ceil((bottom + span) / step - 1e-9)]
  return { low: first * step, high: last * step, parts: last - first }
}

const times = (factor: number, value: number | undefined): number | undefined =>
  value === undefined ? undefined : factor * value

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length
