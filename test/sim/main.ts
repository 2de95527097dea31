// npm run sim -- --seed N --seeds K: consensus under faults in virtual time, checked.
import { parseArgs } from 'node:util'
import {
  type Campaign,
  type Failure,
  type Report,
  runCampaign,
  runSeed,
  type SizeReport,
} from './campaign.ts'
import { controls } from './controls.ts'
import { sizes } from './plan.ts'

const usage = `usage: npm run sim -- [--seed N] [--seeds K] [--operators ${sizes.join('|')}]
                       [--ledger] [--signatures ideal|real]
                       [--control NAME] [--trace] [--json]

Runs K seeds from N: the consensus core with ideal signatures under a bad network, crashes, lost
writes, skewed clocks, changing validators and up to a third of adversaries. --ledger puts the whole
ledger on top, with clients, reports, checkpoints (by real FROST) and an L1. --trace prints every
event of seed N. A control takes one protection away, and must break a property in 95 % of seeds:
${Object.entries(controls)
  .map(([name, { breaks, about }]) => `  ${name.padEnd(16)} ${breaks.padEnd(14)} ${about}`)
  .join('\n')}
`

/** Share of seeds, in percent, in which a control must break its property. */
const neededPercent = 95

/** Most failing seeds that are told one by one. */
const toldFailures = 20

const options = {
  seed: { type: 'string', default: '1' },
  seeds: { type: 'string' },
  operators: { type: 'string' },
  control: { type: 'string' },
  ledger: { type: 'boolean', default: false },
  signatures: { type: 'string', default: 'ideal' },
  trace: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

function main(args: string[]): void {
  const { values } = read(args)
  if (values.help) return void process.stdout.write(usage)
  const control = values.control === undefined ? undefined : controlOf(values.control)
  const campaign: Campaign = {
    seed: toCount(values.seed, 0),
    seeds: toCount(values.seeds ?? (values.trace ? '1' : '100'), 1),
    operators: values.operators === undefined ? undefined : toSize(values.operators),
    control,
    ledger: values.ledger,
    signatures: toSignatures(values.signatures),
  }
  if (values.trace)
    for (const line of runSeed(campaign, campaign.seed, true).trace)
      process.stdout.write(`${line}\n`)
  const startedMs = performance.now()
  const report = runCampaign(campaign)
  const seconds = (performance.now() - startedMs) / 1000
  const summary = { ...campaign, name: values.control, seconds, report }
  process.stdout.write(values.json ? toJson(summary) : toText(summary))
  process.exitCode = isGood(campaign, report) ? 0 : 1
}

type Summary = Campaign & {
  readonly name: string | undefined
  readonly seconds: number
  readonly report: Report
}

const isGood = ({ control, seeds }: Campaign, { violated, stuck, broken }: Report): boolean =>
  control ? broken * 100 >= seeds * neededPercent : violated.length + stuck.length === 0

function toJson({ name, seconds, report, control, ...campaign }: Summary): string {
  const { seed, seeds, operators, ledger, signatures } = campaign
  const { violated, stuck, broken, heights, bySize, counts, applied, unvisitedLines, digest } =
    report
  return `${JSON.stringify({
    ...{
      sim: ledger || control?.tamper ? 'ledger' : 'core',
      signatures,
      seed,
      seeds,
      operators: operators ?? sizes,
      control: name ?? null,
    },
    ...{ violations: violated.length, stuck: stuck.length, broken: name ? broken : null },
    ...{ heights, heightsPerSecond: Math.round(heights / seconds), seconds: rounded(seconds) },
    bySize: sized(bySize).map(([size, one]) => ({ operators: size, ...one, ...rateOf(one) })),
    ...{ ...counts, ...applied, unvisitedLines, digest },
    failedSeeds: [...violated, ...stuck].slice(0, toldFailures).map((failure) => failure.seed),
  })}\n`
}

function toText(summary: Summary): string {
  const { seed, seeds, control, seconds, report } = summary
  const { violated, stuck, broken, heights, bySize, counts, applied, unvisitedLines, digest } =
    report
  const rate = Math.round(heights / seconds)
  const lines = [
    `${summary.ledger ? 'ledger on the' : 'the'} consensus core, ${summary.signatures} signatures, ` +
      `${summary.operators ?? sizes.join(', ')} operators, ` +
      `${seeds} seeds from ${seed}`,
    `${heights} heights decided in ${rounded(seconds)} s (${rate}/s), up to round ` +
      `${counts.highestRound}; ${counts.messages} messages, ${counts.lost} lost, ` +
      `${counts.crashes} crashes, ${counts.evidence} double votes seen`,
    ...sized(bySize).map(
      ([size, one]) =>
        `n = ${size}: ${one.seeds} seeds, ${one.heights} heights, ` +
        `${rateOf(one).heightsPerSecond} heights/s` +
        (control ? `; broke in ${one.broken}` : ''),
    ),
    `lines of the paper that no seed visited: ${unvisitedLines.join(', ') || 'none'}`,
    `events ${digest}`,
  ]
  const done = Object.entries(applied).map(([what, count]) => `${count} ${what}`)
  if (done.length > 0) lines.push(`of the ledger: ${done.join(', ')}`)
  if (control) lines.push(`${control.breaks} broke in ${broken} of ${seeds} seeds`)
  else {
    lines.push(...[...violated, ...stuck].slice(0, toldFailures).map(toldOf(summary)))
    lines.push(`${violated.length} violations, ${stuck.length} stuck`)
  }
  return `${lines.join('\n')}\n`
}

const toldOf =
  ({ operators, ledger, signatures }: Summary) =>
  ({ seed, violation }: Failure): string => {
    const { property, height, who } = violation
    const flags = [
      ...(operators ? [`--operators ${operators}`] : []),
      ...(ledger ? ['--ledger'] : []),
      ...(signatures === 'real' ? ['--signatures real'] : []),
    ]
    const again = ['npm run sim --', `--seed ${seed}`, ...flags, '--trace'].join(' ')
    return `seed ${seed}: ${property} at height ${height} (${who}); ${again}`
  }

const sized = (bySize: Report['bySize']): readonly (readonly [number, SizeReport])[] =>
  [...bySize].sort(([a], [b]) => a - b)

const rateOf = ({ heights, seconds }: SizeReport) => ({
  heightsPerSecond: Math.round(heights / seconds),
  seconds: rounded(seconds),
})

const rounded = (seconds: number): number => Number(seconds.toFixed(1))

function read(args: string[]) {
  try {
    return parseArgs({ args, options })
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function controlOf(name: string) {
  const control = Object.hasOwn(controls, name) ? controls[name] : undefined
  return control ?? refuse(`there is no control ${name}`)
}

function toCount(text: string, least: number): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < least) return refuse(`${text} is not a number`)
  return count
}

function toSize(text: string): number {
  const size = Number(text)
  return sizes.includes(size) ? size : refuse(`--operators is one of ${sizes.join(', ')}`)
}

function toSignatures(text: string): 'ideal' | 'real' {
  return text === 'ideal' || text === 'real' ? text : refuse('--signatures is ideal or real')
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n\n${usage}`)
  process.exit(2)
}

main(process.argv.slice(2))
