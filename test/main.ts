// `npm test`: every check and every test, a line a stage, one closing line. `npm test -- NAME` runs
// the files whose name has that part.
import { join } from 'node:path'
import { add, type Counts, lineOf, none } from './counts.ts'
import { endWithParent, start } from './processes.ts'
import { type Stage, stagesOf } from './stages.ts'

const root = join(import.meta.dirname, '..')

async function main(names: readonly string[]): Promise<void> {
  endWithParent()
  const stages = stagesOf(root, names)
  if (stages.length === 0) {
    process.stderr.write(`no test file has ${names.join(' or ')} in its name\n`)
    process.exit(2)
  }
  let total = none
  for (const stage of stages) total = add(total, await runStage(stage))
  process.stdout.write(`\n${lineOf(total)}\n`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

async function runStage(stage: Stage): Promise<Counts> {
  const { name, node, files } = stage
  process.stdout.write(`\n${name}${files.length > 0 ? ` (${files.length} files)` : ''} …\n`)
  if (node === undefined) {
    process.stdout.write('  skipped: no such Node for this platform\n')
    return { ...none, skipped: files.length }
  }
  const startedMs = performance.now()
  const counts = await runProgram(node, programOf(stage))
  const seconds = (performance.now() - startedMs) / 1_000
  process.stdout.write(`  ${lineOf(counts)} in ${seconds.toFixed(1)} s\n`)
  return counts
}

const programOf = ({ files, concurrency }: Stage): readonly string[] =>
  files.length === 0 ? ['test/check.ts'] : ['test/stage.ts', String(concurrency), ...files]

/** A program that ends without having told its counts has failed as a whole. */
function runProgram(node: string, program: readonly string[]): Promise<Counts> {
  const child = start(node, ['--disable-warning=ExperimentalWarning', ...program], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  let told: Counts | undefined
  child.on('message', (message) => {
    told = message as Counts
  })
  return new Promise((resolve) => {
    child.on('exit', (code) => {
      const counts = told ?? none
      const hidden = counts.failed === 0 && (code !== 0 || told === undefined)
      resolve(hidden ? { ...counts, failed: 1 } : counts)
    })
  })
}

await main(process.argv.slice(2))
