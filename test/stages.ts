import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'

/** A part of `npm test`: what it runs, and on which Node. */
export type Stage = {
  readonly name: string
  /** Test files, relative to the root; empty for the checks. */
  readonly files: readonly string[]
  /** How many files run at a time. */
  readonly concurrency: number
  /** The Node that runs them; undefined when this platform has none. */
  readonly node: string | undefined
}

/** The Node on which golden block logs are replayed besides the one that runs the tests. */
const secondNode = 'node_modules/node26-linux-x64/bin/node'

/**
 * Everything that `npm test` runs, in its order: what fails soonest first, what needs the machine
 * for itself last.
 *
 * @param names - parts of file names; when there are any, only files with one of them run.
 */
export function stagesOf(root: string, names: readonly string[]): Stage[] {
  const stage = (name: string, pattern: string, concurrency: number, node?: string): Stage => ({
    name,
    files: globSync(pattern, { cwd: root })
      .filter((file) => names.length === 0 || names.some((part) => file.includes(part)))
      .sort(),
    concurrency,
    node: node ?? process.execPath,
  })
  const second = join(root, secondNode)
  const onSecond = stage('golden, Node 26', 'test/golden/*.test.ts', 2, second)
  const check: Stage = { name: 'check', files: [], concurrency: 1, node: process.execPath }
  const stages = [
    stage('house', 'test/{!(contracts).test.ts,tidy/*.test.ts}', 2),
    stage('contracts', 'test/contracts.test.ts', 1),
    stage('unit', 'src/**/*.test.ts', 2),
    stage('golden', 'test/golden/*.test.ts', 2),
    existsSync(second) ? onSecond : { ...onSecond, node: undefined },
    stage('spec', 'test/spec/*.test.ts', 1),
    stage('sim', 'test/sim/*.test.ts', 1),
    // They wait for L1 more than they compute: three at a time keep two cores busy.
    stage('networks', 'test/{cluster,e2e,soak}/*.test.ts', 3),
  ].filter(({ files }) => files.length > 0)
  return names.length === 0 ? [check, ...stages] : stages
}
