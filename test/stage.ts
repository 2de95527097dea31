// Runs the test files it is given on the Node that runs it, prints what fails, and tells its parent
// the counts: `node test/stage.ts [--give-way] CONCURRENCY FILE…`.

import { relative } from 'node:path'
import { run } from 'node:test'
import { inspect, parseArgs } from 'node:util'
import type { Counts } from './counts.ts'
import { giveWay } from './processes.ts'

/**
 * A single test that takes longer has hung: far beyond what any needs on a busy machine, and beyond
 * the patience of `support/waiting.ts`, which says what did not come.
 */
const testTimeoutMs = 900_000

/** A file that takes longer is named in the output. */
const slowFileMs = 10_000

const { values, positionals } = parseArgs({
  options: { 'give-way': { type: 'boolean' } },
  allowPositionals: true,
})
const [concurrency, ...files] = positionals
if (values['give-way']) giveWay()

const stream = run({ files, concurrency: Number(concurrency), timeout: testTimeoutMs })
let failures = 0

stream.on('test:fail', ({ name, file, line, details, todo }) => {
  if (todo !== undefined && todo !== false) return
  failures++
  const error: unknown = details.error.cause ?? details.error
  const where = file === undefined ? '' : ` (${relative(process.cwd(), file)}:${line})`
  process.stdout.write(`  ✖ ${name}${where}\n${indent(inspect(error, { depth: 6 }))}\n`)
})
stream.on('test:stderr', ({ message }) => process.stderr.write(message))
stream.on('test:summary', ({ file, counts, duration_ms }) => {
  if (file === undefined) report(counts)
  else if (duration_ms > slowFileMs)
    process.stdout.write(
      `  ${(duration_ms / 1_000).toFixed(0)} s: ${relative(process.cwd(), file)}\n`,
    )
})
stream.resume()

/** What the runner counts; a test that was cancelled, by a time-out for instance, has failed. */
type Totals = Readonly<Record<'tests' | 'passed' | 'skipped' | 'todo', number>>

function report({ tests, passed, skipped, todo }: Totals): void {
  const failed = Math.max(tests - passed - skipped - todo, failures)
  process.send?.({ passed, failed, skipped: skipped + todo } satisfies Counts)
  process.exitCode = failed === 0 ? 0 : 1
}

const indent = (text: string): string => text.replace(/^/gm, '    ')
