import {
  type Found,
  type Programme,
  poolEquilibrium,
  poolOptimum,
  priceOfAnarchy,
  type Study,
  solve,
  stepLimit,
  study,
  toDense,
} from '#model'
import { type Curve, drawChart, drawHeatMap } from '#simulation'
import { baseDraft, toProgramme } from '../../bench/allocation-instances.ts'
import { poolGame } from '../../bench/pool-games.ts'
import { sequencerEpoch } from '../../bench/sequencer-epochs.ts'

/** Every figure of docs/guides/allocation.md, by its file name. */
export const allocationPlots = (): ReadonlyMap<string, string> =>
  new Map([
    ['convergence.svg', convergence()],
    ['cliff.svg', cliff()],
    ['disturbed.svg', disturbed()],
    ['prices.svg', prices()],
    ['heat-map.svg', heatMap()],
    ['nash.svg', nash()],
    ['scores.svg', scores()],
    ['trust.svg', trust()],
  ])

const [operators, tasks] = [30, 20]
const programme = toProgramme(baseDraft(operators, tasks, 1))
const optimum = solved(programme)
const { step: limit } = stepLimit(programme)

function solved(of: Programme): Found {
  const solution = solve(of)
  if (solution.status !== 'optimal') throw new Error(`our solver says ${solution.status}`)
  return solution
}

/** The paper's rule at the optimum's prices; `part` = η·h_max, whose limit is 2. */
const gradient = (part: number, iterations: number, every: number, start?: Float64Array): Study =>
  study(programme, {
    method: 'gradient',
    rate: (part * limit) / 2,
    prices: optimum.prices,
    iterations,
    change: 1e-9,
    every,
    ...(start && { start }),
  })

const least = 1e-9

/** How far from optimal each checked iterate is: gap or violation, whichever is larger. */
const distances = ({ trace }: Study): [number, number][] =>
  trace.map(({ iteration, gap, violation }) => [
    iteration,
    Math.max(Math.min(gap, 1e3), violation, least),
  ])

function convergence(): string {
  const parts = [0.02, 0.1, 0.5, 1, 1.5, 1.9, 1.99, 2, 2.05]
  return drawChart({
    title: 'The gradient rule by its learning rate',
    x: { label: 'iterations', low: 1, high: 1000, isLog: true },
    y: { label: 'gap or violation, the larger', low: least, high: 10, isLog: true },
    curves: parts.map((part) => ({
      label: `η = ${part}/h_max`,
      points: thinned(distances(gradient(part, 1000, 1))),
    })),
  })
}

/** Points far enough apart on a logarithmic axis, each the largest since the one before it. */
function thinned(points: readonly [number, number][]): [number, number][] {
  const kept: [number, number][] = []
  let largest = 0
  let next = 1
  for (const [x, y] of points) {
    largest = Math.max(largest, y)
    if (x < next) continue
    kept.push([x, largest])
    largest = 0
    next = Math.max(x + 1, x * 1.03)
  }
  return kept
}

function cliff(): string {
  const most = 20_000
  const parts = [
    ...[0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.6, 1.8, 1.9, 1.95, 1.98, 1.99, 1.995],
    ...[2, 2.05, 2.2, 2.4],
  ]
  const runs = parts.map((part) => ({ part, run: gradient(part, part < 2 ? most : 2000, most) }))
  const settled = runs.filter(({ run }) => run.settled)
  const never = runs.filter(({ run }) => !run.settled)
  return drawChart({
    title: 'Iterations until |Δx| < 10⁻⁹: the cliff at 2/h_max',
    x: { label: 'learning rate η, in parts of 1/h_max', low: 0, high: 2.5 },
    y: { label: 'iterations', low: 10, high: most, isLog: true },
    curves: [
      { label: 'settles', points: settled.map(({ part, run }) => [part, run.iterations]) },
      { label: 'never settles', isDotted: true, points: never.map(({ part }) => [part, most]) },
    ],
    marks: [{ at: 2, label: '2/h_max' }],
  })
}

function disturbed(): string {
  const best = toDense(optimum.allocation, tasks)
  const shaken = best.map((x, e) => (e % 3 === 0 ? 0 : x * (1 + 0.3 * Math.sin(e))))
  const curve = (part: number): Curve => ({
    label: `η = ${part}/h_max`,
    points: distances(gradient(part, 60, 1, shaken)),
  })
  return drawChart({
    title: 'An allocation that was disturbed returns to equilibrium',
    x: { label: 'iterations', low: 0, high: 60 },
    y: { label: 'gap or violation, the larger', low: least, high: 10, isLog: true },
    curves: [0.5, 1, 1.3].map(curve),
  })
}

function prices(): string {
  const draft = baseDraft(operators, tasks, 1)
  const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0)
  const mean = (values: Float64Array) => sum(values) / values.length
  const whole = sum(draft.demand) / sum(draft.capacity)
  const shortfallPrice = new Float64Array(tasks).fill(0.5)
  const rows = Array.from({ length: 31 }, (_, k) => {
    const room = 0.7 + 0.03 * k
    const capacity = draft.capacity.map((most) => most * whole * room)
    const found = solved(toProgramme({ ...draft, capacity }, { shortfallPrice }))
    const missed = sum(found.shortfall) / sum(draft.demand)
    return { room, worth: mean(found.prices.capacity), demand: mean(found.prices.demand), missed }
  })
  const curve = (label: string, pick: (row: (typeof rows)[number]) => number): Curve => ({
    label,
    points: rows.map((row) => [row.room, pick(row)]),
  })
  return drawChart({
    title: 'Prices by how much capacity there is (shortfall price 0.5)',
    x: { label: 'capacity ÷ demand', low: 0.7, high: 1.6, parts: 9 },
    y: { label: 'mean price, money a unit', low: -0.5, high: 1, parts: 6 },
    curves: [
      curve('λ, of capacity', ({ worth }) => worth),
      curve('μ, of demand', ({ demand }) => demand),
      curve('part not served', ({ missed }) => missed),
    ],
  })
}

function heatMap(): string {
  const [n, m] = [18, 14]
  const draft = baseDraft(n, m, 2)
  const found = solved(toProgramme(draft))
  const x = toDense(found.allocation, m)
  const mean = (i: number) => draft.utility.subarray(i * m, (i + 1) * m).reduce((a, b) => a + b) / m
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => mean(b) - mean(a))
  const values = new Float64Array(n * m)
  order.forEach((i, row) => {
    for (let t = 0; t < m; t++)
      values[row * m + t] = (3 * (x[i * m + t] as number)) / (draft.demand[t] as number)
  })
  return drawHeatMap({
    title: 'Who does what: the part of each task that each operator does',
    rows: order.map((i) => `operator ${i + 1}`),
    columns: Array.from({ length: m }, (_, t) => `${t + 1}`),
    values,
    legend: 'White: nothing. Dark: a third, the most that one may do. Best operators on top.',
  })
}

function nash(): string {
  const congestions = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05]
  const curve = (count: number): Curve => ({
    label: `${count} operators`,
    points: congestions.map((congestion) => {
      const game = poolGame(count, 5, congestion, 1)
      const { welfare } = poolEquilibrium(game, { tolerance: 1e-7 })
      const best = poolOptimum(game)
      if (!best) throw new Error('our solver stalls')
      return [congestion, priceOfAnarchy(best.welfare, welfare)]
    }),
  })
  return drawChart({
    title: 'Optimum ÷ Nash equilibrium of pooled fees',
    x: { label: 'congestion q, money a unit²', low: 0.001, high: 0.05, isLog: true },
    y: { label: 'times better', low: 1, high: 2 },
    curves: [5, 10, 20].map(curve),
  })
}

function scores(): string {
  const at = Array.from({ length: 15 }, (_, k) => 0.3 + 0.05 * k)
  const epochs = at.map((score) => ({ score, ...sequencerEpoch(score, 0.9) }))
  const most = Math.max(...epochs.map(({ throughput }) => throughput))
  const slowest = Math.max(...epochs.map(({ latencyS }) => latencyS))
  return drawChart({
    title: 'Throughput rises and latency falls as scores rise (trust 0.9)',
    x: { label: 'score', low: 0.3, high: 1, parts: 7 },
    y: { label: 'part of the largest', low: 0, high: 1 },
    curves: [
      { label: 'throughput', points: epochs.map((e) => [e.score, e.throughput / most]) },
      { label: 'latency', points: epochs.map((e) => [e.score, e.latencyS / slowest]) },
    ],
  })
}

function trust(): string {
  const at = Array.from({ length: 11 }, (_, k) => 0.5 + 0.05 * k)
  const epochs = at.map((value) => ({ value, ...sequencerEpoch(0.9, value) }))
  return drawChart({
    title: 'Failures fall as trust rises (score 0.9)',
    x: { label: 'trust', low: 0.5, high: 1 },
    y: { label: 'part of work that fails', low: 0, high: 0.2 },
    curves: [{ label: 'failures', points: epochs.map((e) => [e.value, 1 - e.faultTolerance]) }],
  })
}
