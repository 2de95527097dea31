import { existsSync, globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
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
  /** Whether it gives way to the other lane. */
  readonly givesWay: boolean
}

/** All that `npm test` runs. */
export type Plan = {
  /** What fails soonest, before the rest. */
  readonly first: readonly Stage[]
  /**
   * Side by side, each in its order: what computes, and what waits for L1 more than it computes.
   * The first gives way: it only takes longer, but a network that gets no processor misses
   * deadlines.
   */
  readonly lanes: readonly (readonly Stage[])[]
}

/** The Node on which golden block logs are replayed besides the one that runs the tests. */
const secondNode = 'node_modules/node26-linux-x64/bin/node'

/** Files that take longest are begun first, the longest at the top: none is left for the end. */
const longest: readonly string[] = [
  'test/e2e/cometbft.test.ts',
  'test/e2e/trouble.test.ts',
  'test/e2e/slow.test.ts',
  'test/e2e/devnet.test.ts',
  'test/e2e/package.test.ts',
  'src/model/solver/families.test.ts',
  'src/node/guard/crash.test.ts',
  'src/simulation/simulate.test.ts',
  'src/protocol/network.test.ts',
]
/** More would take gigabytes: a network needs some 600 MB. */
const maxCores = 8

const placeOf = (file: string): number => longest.indexOf(file) + 1 || longest.length + 1

/** @param names - parts of file names; when there are any, only files with one of them run. */
export function planOf(root: string, names: readonly string[]): Plan {
  const stage = (name: string, pattern: string, concurrency: number, node?: string): Stage => ({
    name,
    files: globSync(pattern, { cwd: root })
      .filter((file) => names.length === 0 || names.some((part) => file.includes(part)))
      .sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1)),
    concurrency,
    node: node ?? process.execPath,
    givesWay: true,
  })
  const cores = Math.min(availableParallelism(), maxCores)
  const second = join(root, secondNode)
  const onSecond = stage('golden, Node 26', 'test/golden/*.test.ts', 2, second)
  const check = {
    name: 'check',
    files: [],
    concurrency: 1,
    node: process.execPath,
    givesWay: false,
  }
  const computing = [
    stage('house', 'test/{!(contracts).test.ts,tidy/*.test.ts}', cores),
    stage('contracts', 'test/contracts.test.ts', 1),
    stage('unit', 'src/**/*.test.ts', cores),
    stage('golden', 'test/golden/*.test.ts', 2),
    existsSync(second) ? onSecond : { ...onSecond, node: undefined },
    stage('spec', 'test/spec/*.test.ts', 1),
    stage('sim', 'test/sim/*.test.ts', 2),
  ]
  const networks = stage('networks', 'test/{cluster,e2e,soak}/*.test.ts', cores + 1)
  const waiting = [{ ...networks, givesWay: false }]
  const lanes = [waiting, computing].map((lane) => lane.filter(({ files }) => files.length > 0))
  return {
    first: names.length === 0 ? [check] : [],
    lanes: lanes.filter((lane) => lane.length > 0),
  }
}
