import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readTrace } from './itf.ts'
import type { SpecState } from './replay.ts'

const root = join(import.meta.dirname, '../..')
const quint = join(root, 'node_modules/@informalsystems/quint/dist/src/cli.js')

/** A walk of chance through a network of `docs/spec/networks.qnt`; a seed is a replay. */
export type Walk = {
  readonly network: string
  readonly seed: number
  readonly traces: number
  readonly steps: number
}

/**
 * Walks and checks the specification's invariants after every step.
 *
 * @throws an error with Quint's words when one does not hold.
 */
export const walk = ({ network, seed, traces, steps }: Walk): Promise<readonly Trace[]> =>
  tracesOf('run', 'networks.qnt', network, [
    ...['--max-samples', `${traces}`, '--n-traces', `${traces}`, '--max-steps', `${steps}`],
    ...['--seed', `${seed}`, '--invariants', ...invariants],
  ])

/** Runs the stories of a module of `docs/spec/scenarios.qnt`. @throws when one goes otherwise. */
export const tell = (module: string): Promise<readonly Trace[]> =>
  tracesOf('test', 'scenarios.qnt', module, [])

/** The states of one run, the first of them before anything happened. */
export type Trace = readonly SpecState[]

/** What `walk` holds every state against; by their names in `docs/spec/consensus.qnt`. */
export const invariants = [
  'agreement',
  'validity',
  'noDoubleVote',
  'lockHasPolka',
  'lockHolds',
  'settled',
]

/** Quint's own simulator and not its default one, which it would download. */
async function tracesOf(
  command: 'run' | 'test',
  file: string,
  main: string,
  options: readonly string[],
): Promise<readonly Trace[]> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop spec '))
  const out = join(folder, command === 'run' ? '{seq}.itf.json' : '{test}.{seq}.itf.json')
  const common = ['--backend', 'typescript', '--main', main, '--out-itf', out, '--verbosity', '1']
  const path = join(root, 'docs/spec', file)
  try {
    await runQuint([command, path, ...common, ...options])
    const names = readdirSync(folder).sort()
    return names.map((name) => readTrace(readFileSync(join(folder, name), 'utf8')) as Trace)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function runQuint(args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, [quint, ...args], { maxBuffer: 2 ** 26 })
  } catch (error) {
    throw new Error(`quint found a fault: ${(error as { stdout: string }).stdout}`, {
      cause: error,
    })
  }
}
