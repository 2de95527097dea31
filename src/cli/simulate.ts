import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { toJson } from '#api'
import type { makeFolders, proposeAllocation } from '#node'
import {
  BadScenarioError,
  type Progress,
  readScenario,
  type SimulationSummary,
  type Spread,
  simulate,
  simulationReport,
  summariseSimulation,
} from '#simulation'
import { columns, exitCodes, type Io, type Surroundings, UsageError } from './cli.ts'

type Options = {
  readonly json?: boolean
  readonly seeds?: string
  readonly out?: string
}

/** `nodeop simulate`: what would become of a network. */
export const simulateCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('simulate')
    .description('try a network in virtual time, by a file; see docs/guides/simulation.md')
    .argument('<file>', 'the scenario: operators, services and what happens to them, as JSON')
    .option('--seeds <count>', 'live it through with so many seeds (default 1)')
    .option('--out <folder>', 'where report.html and result.json go (default simulation)')
    .option('--json', 'print one JSON line')
    .action(async (file: string, options: Options) => {
      finish(await runSimulation(file, options, around, await import('#node')))
    })

const reportFile = 'report.html'
const resultFile = 'result.json'

/** What is loaded for this command alone. */
type Parts = {
  readonly makeFolders: typeof makeFolders
  readonly proposeAllocation: typeof proposeAllocation
}

async function runSimulation(
  path: string,
  options: Options,
  { io, cwd }: Surroundings,
  { makeFolders, proposeAllocation }: Parts,
): Promise<number> {
  const seeds = seedsOf(options.seeds)
  const scenario = readScenario(readJson(path, cwd), path)
  const folder = options.out ?? 'simulation'
  const report = join(folder, reportFile)
  await prepareFolder(folder, cwd, makeFolders)
  const simulation = simulate(scenario, seeds, proposeAllocation, progressIn(io))
  const summary = summariseSimulation(simulation)
  writeFileSync(resolve(cwd, report), simulationReport(simulation))
  writeFileSync(resolve(cwd, folder, resultFile), `${toJson({ summary, ...simulation })}\n`)
  const lines = options.json ? [toJson({ ...summary, report })] : describe(summary, report)
  for (const line of lines) io.write(line)
  return exitCodes.ok
}

function readJson(path: string, cwd: string): unknown {
  try {
    return JSON.parse(readFileSync(resolve(cwd, path), 'utf8').replace(/^\uFEFF/, ''))
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw new BadScenarioError(`${path}: is no JSON: ${cause.message}`)
    throw new BadScenarioError(`cannot read ${path}: ${codeOf(cause)}`)
  }
}

/** Before anything is computed: a run may take minutes. */
async function prepareFolder(
  folder: string,
  cwd: string,
  make: Parts['makeFolders'],
): Promise<void> {
  try {
    await make(resolve(cwd, folder), 0o777)
    writeFileSync(resolve(cwd, folder, reportFile), '')
  } catch (cause) {
    throw new BadScenarioError(`cannot write to ${folder}: ${codeOf(cause)}`)
  }
}

const codeOf = (cause: unknown): string => (cause as NodeJS.ErrnoException).code ?? 'unknown error'

const mostSeeds = 1_000

function seedsOf(text = '1'): number {
  const seeds = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (seeds >= 1 && seeds <= mostSeeds) return seeds
  const allowed = `a whole number from 1 to ${mostSeeds}`
  throw new UsageError(`--seeds ${JSON.stringify(text)} is not allowed; allowed: ${allowed}`)
}

const barWidth = 32

/** A bar that is drawn over itself; without a terminal, a line for each tenth. */
function progressIn({ redraw, error }: Io): (progress: Progress) => void {
  let tenths = 0
  return ({ runs, ofRuns, epochs, ofEpochs }) => {
    const done = (runs + epochs / ofEpochs) / ofRuns
    const run = ofRuns > 1 ? `, run ${runs + 1} of ${ofRuns}` : ''
    const words = `${Math.floor(done * 100)} %, epoch ${epochs} of ${ofEpochs}${run}`
    if (!redraw) {
      if (Math.floor(done * 10) > tenths) error(`… ${words}`)
      tenths = Math.floor(done * 10)
      return
    }
    const full = Math.round(done * barWidth)
    const bar = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`
    redraw(`\r${bar} ${words} ${done === 1 ? '\n' : ''}`)
  }
}

function describe(summary: SimulationSummary, report: string): readonly string[] {
  const { name, epochs, seeds, operators, services, gapPpm } = summary
  const runs = seeds.length === 1 ? `seed ${seeds[0]}` : `means of ${seeds.length} seeds`
  const percent = ({ mean }: Spread) => `${(100 * mean).toFixed(1)} %`
  const count = ({ mean }: Spread) => String(Number(mean.toFixed(1)))
  const money = ({ mean }: Spread) => mean.toFixed(2)
  const seconds = ({ mean }: Spread) => `${(mean / 1000).toFixed(2)} s`
  return [
    `${name}: ${epochs} epochs, ${runs}`,
    '',
    ...columns([
      [
        'operator',
        'share at the end',
        'work',
        'trust',
        'late',
        'missing',
        'outlying',
        'refuted',
        'profit',
      ],
      ...operators.map((one) => [
        one.name,
        percent(one.endShare),
        percent(one.work),
        money(one.endTrust),
        count(one.late),
        count(one.missing),
        count(one.outlying),
        count(one.refuted),
        money(one.profit),
      ]),
    ]),
    '',
    ...columns([
      ['service', 'asked', 'agreed', 'expired', 'refused', 'latency p50', 'worst p99'],
      ...services.map((one) => [
        one.name,
        count(one.asked),
        count(one.agreed),
        count(one.expired),
        count(one.refused),
        seconds(one.p50Ms),
        seconds(one.worstP99Ms),
      ]),
    ]),
    '',
    `Every allocation was within ${gapPpm} millionths of the best there can be. Report: ${report}`,
  ]
}
