// `npm test`: every check and every test, a line a stage, one closing line. `npm test -- NAME` runs the
// files whose name has that part.
import { join } from 'node:path'
import { endWithParent, start } from './processes.ts'
import type { Counts } from './stage.ts'
import { type Stage, stagesOf } from './stages.ts'

const root = join(import.meta.dirname, '..')

async function main(names: readonly string[]): Promise<void> {
  endWithParent()
  const stages = stagesOf(root, names)
  if (stages.length === 0) {
    process.stderr.write(`no test file has ${names.join(' or ')} in its name\n`)
    process.exit(2)
  }
  let total: Counts = { passed: 0, failed: 0, skipped: 0 }
  for (const stage of stages) total = add(total, await runStage(stage))
  process.stdout.write(`${line(total)}\n`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

async function runStage(stage: Stage): Promise<Counts> {
  const what = stage.files.length === 0 ? '' : ` (${stage.files.length} files)`
  process.stdout.write(`\n${stage.name}${what} …\n`)
  if (stage.node === undefined) {
    process.stdout.write('  skipped: no such Node for this platform\n')
    return { passed: 0, failed: 0, skipped: stage.files.length }
  }
  const startedMs = performance.now()
  const counts = await (stage.name === 'check' ? runCheck(stage.node) : runTests(stage, stage.node))
  const seconds = (performance.now() - startedMs) / 1_000
  process.stdout.write(`  ${line(counts)} in ${seconds.toFixed(1)} s\n`)
  return counts
}

/** The check prints its own lines; here it counts as one. */
function runCheck(node: string): Promise<Counts> {
  const child = start(node, ['test/check.ts'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return new Promise((resolve) => {
    child.on('exit', (code) =>
      resolve({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }),
    )
  })
}

/** A stage that ends without having counted has failed as a whole. */
function runTests({ concurrency, files }: Stage, node: string): Promise<Counts> {
  const flags = ['--disable-warning=ExperimentalWarning']
  const child = start(node, [...flags, 'test/stage.ts', String(concurrency), ...files], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let counts: Counts | undefined
  child.on('message', (message) => {
    counts = message as Counts
  })
  return new Promise((resolve) => {
    child.on('exit', (code) => {
      const counted = counts ?? { passed: 0, failed: 0, skipped: 0 }
      const hidden = counted.failed === 0 && (code !== 0 || counts === undefined)
      resolve(hidden ? { ...counted, failed: 1 } : counted)
    })
  })
}

const add = (a: Counts, b: Counts): Counts => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
})

const line = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`

await main(process.argv.slice(2))
