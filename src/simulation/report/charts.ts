import type { Epoch } from '../facts.ts'
import type { ScenarioEvent } from '../scenario.ts'
import type { Simulation } from '../simulate.ts'
import { curveOf, operatorCurves } from './series.ts'
import { type Axis, type Curve, drawChart, drawHeatMap, type Mark } from './svg.ts'

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
    label: 'mean over services',
    high: 1,
    curves: operatorCurves(simulation, (epoch, place) => epoch.operators[place]?.trust),
  }),
  words:
    'A Beta reputation: ½ for a newcomer, a broken duty weighs three kept ones. It is a mean over ' +
    'all services, so that who serves one of two stands between its trust there and ½.',
})

const scores = (simulation: Simulation): Drawing => ({
  svg: overEpochs(simulation, {
    title: 'Score: ½ agreement + ½ timeliness × latency',
    label: 'mean over services',
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
  const top = Math.max(0, ...values)
  const bottom = Math.min(0, ...values)
  const low = chart.low ?? (bottom < 0 ? -roundUp(-bottom) : 0)
  const high = chart.high ?? (top > 0 ? roundUp(top) : low < 0 ? 0 : 1)
  const x: Axis = { label: 'epoch', ...epochAxis(scenario.epochs) }
  const y: Axis = { label: chart.label, low, high, parts: low < 0 ? 4 : 5 }
  return drawChart({
    title: chart.title,
    x,
    y,
    curves: chart.curves,
    marks: marksOf(scenario.events, scenario.operators),
  })
}

/** From nought in steps that are whole. */
function epochAxis(epochs: number): Pick<Axis, 'low' | 'high' | 'parts'> {
  const step = Math.max(1, Math.ceil(epochs / 8))
  const parts = Math.ceil(epochs / step)
  return { low: 0, high: step * parts, parts }
}

/** The next number of 1, 2, 2.5, 4, 5 or 8 times a power of ten. */
function roundUp(value: number): number {
  const power = Number(`1e${Math.floor(Math.log10(value))}`)
  const fit = [1, 2, 2.5, 4, 5, 8, 10].find((digit) => digit * power >= value * (1 - 1e-9))
  return (fit ?? 10) * power
}

/** Each event by the epoch in which it happens. */
function marksOf(
  events: readonly ScenarioEvent[],
  operators: Simulation['scenario']['operators'],
): readonly Mark[] {
  const joins = operators.flatMap(({ name, joins: epoch }) =>
    epoch > 0 ? [{ epoch, words: `${name} joins` }] : [],
  )
  const said = events.map((event) => ({ epoch: event.epoch, words: inBrief(event, operators) }))
  const epochs = [...new Set([...joins, ...said].map(({ epoch }) => epoch))].sort((a, b) => a - b)
  return epochs.map((at) => ({
    at,
    label: [...joins, ...said]
      .filter(({ epoch }) => epoch === at)
      .map(({ words }) => words)
      .join('; '),
  }))
}

const verbs = { change: 'changes', join: 'joins', leave: 'leaves', stop: 'stops', start: 'starts' }

function inBrief(event: ScenarioEvent, operators: Simulation['scenario']['operators']): string {
  if (event.kind === 'demand') return 'demand'
  const [first = 0] = event.operators
  const more = event.operators.length - 1
  const who = `${operators[first]?.name ?? ''}${more > 0 ? ` +${more}` : ''}`
  return `${who} ${verbs[event.does]}`
}

const times = (factor: number, value: number | undefined): number | undefined =>
  value === undefined ? undefined : factor * value

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length
