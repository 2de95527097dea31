// Runs the test files it is given on the Node that runs it, prints what fails, and tells its parent the
// counts: `node test/stage.ts CONCURRENCY FILE…`.
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

/** Number of tests by outcome. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** A single test that takes longer has hung. */
const testTimeoutMs = 180_000

/** A file that takes longer is named in the output. */
const slowFileMs = 10_000

const [concurrency, ...files] = process.argv.slice(2)

const stream = run({ files, concurrency: Number(concurrency), timeout: testTimeoutMs })
const reporter = new spec()
let failures = 0

stream.on('test:fail', (event) => {
  if (event.todo !== undefined && event.todo !== false) return
  failures++
  reporter.write({ type: 'test:fail', data: event })
})
stream.on('test:stderr', ({ message }) => process.stderr.write(message))
stream.on('test:summary', ({ file, counts, duration_ms }) => {
  if (file === undefined) {
    const { passed, failed, cancelled, skipped, todo } = counts as typeof counts & {
      failed?: number
    }
    report({ passed, failed: Math.max(failed ?? 0, failures) + cancelled, skipped: skipped + todo })
  } else if (duration_ms > slowFileMs)
    process.stdout.write(`  ${(duration_ms / 1_000).toFixed(0)} s: ${file}\n`)
})
reporter.pipe(process.stdout)

function report(counts: Counts): void {
  process.send?.(counts)
  process.exitCode = counts.failed === 0 ? 0 : 1
}
