// `npm run soak -- NAME`: long runs under faults, each with checkers that stand outside. Progress
// goes to standard error; with `--json` the last line of standard output is the report.
import { parseArgs } from 'node:util'
import { soakComet } from './cometbft.ts'
import { type CrashOptions, soakCrash } from './crash.ts'
import { endWhenTold } from './ending.ts'
import type { Progress } from './progress.ts'

/** Soaks by name; each takes of the options what it knows. */
const soaks = { crash: soakCrash, cometbft: soakComet } as const satisfies Record<
  string,
  (options: CrashOptions, progress: Progress) => Promise<{ readonly ok: boolean }>
>
const isSoak = (name: string | undefined): name is keyof typeof soaks =>
  name !== undefined && Object.hasOwn(soaks, name)

/** What the command line gives. */
type Asked = {
  readonly name: keyof typeof soaks
  readonly options: CrashOptions
  readonly json: boolean
}

const usage = `usage: npm run soak -- NAME [--json]
  crash [--rounds 200] [--steps 60] [--seeds 40] [--seed 1] [--rate 10] [--port 28545]
  cometbft [--rounds 200] [--seed 1] [--rate 10]`

function asked(args: readonly string[]): Asked | undefined {
  const text = { type: 'string' } as const
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ rounds: text, steps: text, seeds: text, seed: text, rate: text, port: text },
        json: { type: 'boolean' },
      },
    })
    const count = (given: string | undefined, initial: number) => whole(given ?? String(initial))
    const options = {
      rounds: count(values.rounds, 200),
      steps: count(values.steps, 60),
      seeds: count(values.seeds, 40),
      seed: count(values.seed, 1),
      rate: count(values.rate, 10),
      port: count(values.port, 28_545),
    }
    const [name, ...more] = positionals
    const isGood = more.length === 0 && Object.values(options).every(Number.isSafeInteger)
    return isSoak(name) && isGood ? { name, options, json: values.json === true } : undefined
  } catch {
    return undefined // an option that is not known
  }
}

const whole = (given: string): number => (/^\d{1,9}$/.test(given) ? Number(given) : Number.NaN)

const wanted = asked(process.argv.slice(2))
if (!wanted) {
  process.stderr.write(`${usage}\n`)
  process.exit(2)
}
endWhenTold()
const startedMs = performance.now()
const isTerminal = process.stderr.isTTY === true
const report = await soaks[wanted.name](wanted.options, {
  step(stage, done, of) {
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    const line = `${stage}: ${done} of ${of}, ${seconds} s`
    if (isTerminal) process.stderr.write(`\r\u001b[K${line}${done === of ? '\n' : ''}`)
    else if (done === of || done % 10 === 0) process.stderr.write(`${line}\n`)
  },
  ended: (stage, seen) => process.stderr.write(`${stage}: ${JSON.stringify(seen)}\n`),
})
process.stdout.write(`${JSON.stringify(report, undefined, wanted.json ? 0 : 2)}\n`)
process.exitCode = report.ok ? 0 : 1
