import type { Simulation } from '../simulate.ts'
import { type SimulationSummary, type Spread, summariseSimulation } from '../summary.ts'
import { chartsOf } from './charts.ts'
import { happenings } from './happenings.ts'
import { inXml } from './svg.ts'

/**
 * A simulation as one page of HTML that needs nothing else: figures, drawings, and the scenario
 * that it is of. It holds neither time nor place, so that the same simulation gives the same page.
 */
export function simulationReport(simulation: Simulation): string {
  const summary = summariseSimulation(simulation)
  const { scenario, runs } = simulation
  const runWords = runs.length === 1 ? 'one run' : `${runs.length} runs`
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${inXml(scenario.name)} – NodeOP simulation</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    `<h1>${inXml(scenario.name)}</h1>`,
    `<p class="lead">${scenario.operators.length} operators, ${scenario.services.length} ` +
      `${scenario.services.length === 1 ? 'service' : 'services'}, ${scenario.epochs} epochs of ` +
      `${scenario.epochMs / 1000} s; ${runWords}, seed ${seedWords(summary.seeds)}. The ledger’s ` +
      'own rules, in virtual time. Money is in the scenario’s own unit.</p>',
    ...eventList(simulation),
    '<h2>Operators</h2>',
    operatorTable(summary),
    '<h2>Services</h2>',
    serviceTable(summary),
    runs.length > 1
      ? '<p class="note">Means over all runs; below them in small the least and the most. In the ' +
        'drawings, lines are means, and around them reach the least and the most.</p>'
      : '',
    '<h2>Epoch by epoch</h2>',
    '<div class="charts">',
    ...chartsOf(simulation).map(
      ({ svg, words }) => `<figure>${svg}<figcaption>${inXml(words)}</figcaption></figure>`,
    ),
    '</div>',
    '<h2>The scenario</h2>',
    `<pre>${inXml(JSON.stringify(scenario, undefined, 2))}</pre>`,
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

const style = `
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fafafa;
  max-width: 1500px; margin: 0 auto; padding: 24px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 32px 0 8px; }
.lead, .note, figcaption { color: #555; } .note { font-size: 13px; }
table { border-collapse: collapse; background: #fff; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; border-bottom: 1px solid #e4e4e4; text-align: right; }
th { font-weight: 600; color: #444; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
td small { display: block; color: #888; font-size: 11px; }
.bad { color: #b23b00; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(520px, 1fr)); gap: 16px; }
figure { margin: 0; background: #fff; border: 1px solid #e4e4e4; border-radius: 6px; padding: 8px; }
figure svg { width: 100%; height: auto; display: block; }
figcaption { font-size: 13px; padding: 4px 8px; }
pre { background: #fff; border: 1px solid #e4e4e4; padding: 12px; overflow: auto; max-height: 320px;
  font-size: 12px; }
.scroll { overflow-x: auto; }
`

const seedWords = (seeds: readonly number[]): string =>
  seeds.length === 1 ? String(seeds[0]) : `${seeds[0]} to ${seeds.at(-1)}`

/** Numbered as the lines in the drawings are. */
function eventList({ scenario }: Simulation): readonly string[] {
  const items = happenings(scenario).map(
    ({ epoch, words }) => `<li>Epoch ${epoch}: ${inXml(words)}.</li>`,
  )
  return items.length === 0 ? [] : ['<h2>What happens</h2>', '<ol>', ...items, '</ol>']
}

const operatorTable = ({ operators }: SimulationSummary): string =>
  table(operators, {
    operator: (one) => inXml(one.name),
    'share at the end': (one) => cell(one.endShare, percent),
    'work done': (one) => cell(one.work, percent),
    'trust at the end': (one) => cell(one.endTrust, twoDigits),
    places: (one) => cell(one.drawn, whole),
    late: (one) => cell(one.late, whole, true),
    missing: (one) => cell(one.missing, whole, true),
    outlying: (one) => cell(one.outlying, whole, true),
    refuted: (one) => cell(one.refuted, whole, true),
    earned: (one) => cell(one.earned, twoDigits),
    cost: (one) => cell(one.spent, twoDigits),
    profit: (one) => cell(one.profit, twoDigits),
  })

const serviceTable = ({ services }: SimulationSummary): string =>
  table(services, {
    service: (one) => inXml(one.name),
    asked: (one) => cell(one.asked, whole),
    agreed: (one) => cell(one.agreed, whole),
    expired: (one) => cell(one.expired, whole, true),
    refused: (one) => cell(one.refused, whole, true),
    'drawn twice': (one) => cell(one.redrawn, whole, true),
    'latency p50': (one) => cell(one.p50Ms, seconds),
    'worst epoch’s p99': (one) => cell(one.worstP99Ms, seconds),
  })

/** A row for each thing, and a column for each heading: what it says of the thing. */
function table<Thing>(
  things: readonly Thing[],
  columns: Readonly<Record<string, (thing: Thing) => string>>,
): string {
  const heads = Object.keys(columns).map((name) => `<th>${name}</th>`)
  const rows = things.map((thing) => {
    const cells = Object.values(columns).map((words) => `<td>${words(thing)}</td>`)
    return `<tr>${cells.join('')}</tr>`
  })
  return `<div class="scroll"><table><tr>${heads.join('')}</tr>\n${rows.join('\n')}</table></div>`
}

/**
 * A figure, with its reach below where runs differ; `isFault`: anything but nought is none good.
 */
function cell({ mean, least, most }: Spread, words: (value: number) => string, isFault = false) {
  const reach = least === most ? '' : `<small>${words(least)} to ${words(most)}</small>`
  const shown = isFault && most > 0 ? `<span class="bad">${words(mean)}</span>` : words(mean)
  return shown + reach
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
const twoDigits = (value: number): string => value.toFixed(2)
const whole = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(1)
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
