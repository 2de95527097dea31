// `npm run check`: types, lint and house rules, side by side.
import { join } from 'node:path'
import { type Counts, lineOf } from './counts.ts'
import { capture, type Ended, endWithParent } from './processes.ts'
import { checkTidy, describe } from './tidy/tidy.ts'

/** One of the three checks: whether it passed, what it says when not, and how long it took. */
type Checked = Ended & { readonly name: string; readonly seconds: number }

const root = join(import.meta.dirname, '..')
const modules = join(root, 'node_modules')

/** Runs the three and prints one line for each, with what is wrong below it. */
async function main(): Promise<void> {
  endWithParent()
  const node = (script: string, ...args: string[]): Promise<Ended> =>
    capture(process.execPath, [join(modules, script), ...args], root)
  const checks = [
    timed('types', () => node('typescript-compiler/bin/tsc', '--noEmit', '--pretty', 'false')),
    timed('lint', () =>
      node('@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--colors=off'),
    ),
    timed('tidy', async () => tidy()),
  ]
  for (const check of checks) print(await check)
  const passed = (await Promise.all(checks)).filter(({ code }) => code === 0).length
  const counts: Counts = { passed, failed: checks.length - passed, skipped: 0 }
  if (process.send) process.send(counts)
  else process.stdout.write(`${lineOf(counts)}\n`)
  process.exitCode = counts.failed === 0 ? 0 : 1
}

function tidy(): Ended {
  const lines = checkTidy(root).map(describe)
  return { code: lines.length === 0 ? 0 : 1, output: lines.map((line) => `${line}\n`).join('') }
}

async function timed(name: string, run: () => Promise<Ended>): Promise<Checked> {
  const startedMs = performance.now()
  const ended = await run()
  return { ...ended, name, seconds: (performance.now() - startedMs) / 1_000 }
}

function print({ name, code, seconds, output }: Checked): void {
  const verdict = code === 0 ? 'ok' : 'FAILED'
  process.stdout.write(`${name.padEnd(8)} ${verdict.padEnd(8)} ${seconds.toFixed(1)} s\n`)
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n`)
}

await main()
