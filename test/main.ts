// `npm test`: every check and every test, a line when a stage begins and ends, one closing line.
// `npm test -- NAME` runs the files whose name has that part.
import { join } from 'node:path'
import { add, type Counts, lineOf, none } from './counts.ts'
import { endWithParent, start } from './processes.ts'
import { planOf, type Stage } from './stages.ts'

const root = join(import.meta.dirname, '..')

async function main(names: readonly string[]): Promise<void> {
  endWithParent()
  const { first, lanes } = planOf(root, names)
  if (lanes.length === 0) {
    process.stderr.write(`no test file has ${names.join(' or ')} in its name\n`)
    process.exit(2)
  }
  const before = await runLane(first)
  const total = (await Promise.all(lanes.map(runLane))).reduce(add, before)
  process.stdout.write(`\n${lineOf(total)}\n`)
  process.exitCode = total.failed === 0 ? 0 : 1
}

/** Runs one stage after another. */
async function runLane(stages: readonly Stage[]): Promise<Counts> {
  let total = none
  for (const stage of stages) total = add(total, await runStage(stage))
  return total
}

async function runStage(stage: Stage): Promise<Counts> {
  const { name, node, files } = stage
  if (node === undefined) {
    process.stdout.write(`${name}: skipped, no such Node for this platform\n`)
    return { ...none, skipped: files.length }
  }
  process.stdout.write(`${name}${files.length > 0 ? ` (${files.length} files)` : ''} …\n`)
  const startedMs = performance.now()
  const counts = await runProgram(node, programOf(stage))
  const seconds = (performance.now() - startedMs) / 1_000
  process.stdout.write(`${name}: ${lineOf(counts)} in ${seconds.toFixed(1)} s\n`)
  return counts
}

const programOf = ({ files, concurrency, givesWay }: Stage): readonly string[] =>
  files.length === 0
    ? ['test/check.ts']
    : ['test/stage.ts', ...(givesWay ? ['--give-way'] : []), String(concurrency), ...files]

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
