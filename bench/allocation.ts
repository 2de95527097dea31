import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Found, type Prices, type Programme, solve } from '#model'
import { random as seeded } from '../test/support/random.ts'
import { type Draft, instance, toProgramme } from './allocation-instances.ts'
import { type Peer, type PeerName, packages, python, startPeer } from './allocation-peer.ts'
import { verifyFigure } from './allocation-verify.ts'
import { cost, type Figure, type Report } from './figure.ts'

const name = 'allocation'
const seed = 1
/** Relative difference of objectives up to which two solvers agree. */
const agreement = 1e-6

type Case = {
  readonly metric: string
  readonly operators: number
  readonly tasks: number
  readonly isLinear?: boolean
  readonly peers: readonly PeerName[]
  /** Rounds, each with one solve of every peer and then `ours` of our own. */
  readonly rounds: number
  readonly ours: number
  /** Seconds after which a peer is given up. */
  readonly limitS: number
}

const cases: readonly Case[] = [
  size('qp-100x100-ms', 100, 100, { peers: ['clarabel', 'osqp'], rounds: 5, ours: 9 }),
  size('qp-1000x100-ms', 1000, 100, { peers: ['clarabel', 'osqp'], rounds: 5, ours: 5 }),
  size('qp-1000x1000-ms', 1000, 1000, { peers: ['clarabel'], rounds: 1, ours: 11 }),
  size('qp-10000x1000-ms', 10_000, 1000, { peers: [], rounds: 1, ours: 7 }),
  size('lp-1000x1000-ms', 1000, 1000, {
    peers: ['highs'],
    rounds: 3,
    ours: 5,
    isLinear: true,
    limitS: 180,
  }),
]

function size(
  metric: string,
  operators: number,
  tasks: number,
  rest: Pick<Case, 'peers' | 'rounds' | 'ours'> & Partial<Pick<Case, 'isLinear' | 'limitS'>>,
): Case {
  return { metric, operators, tasks, limitS: 60, ...rest }
}

const conditions = [
  'One resource, demand, capacity and caps; utility = value × trust × score − cost; one thread.',
  'Median wall time of a solve without prices to start from, checked gap included; programmes are',
  'checked and matrices are built before. A node solves every epoch in a process that lives on: each',
  'programme is solved for 1.5 s first, until its code is compiled; notes say what the first took.',
  'Peers alternate with ours and count their own solve time; of several that reach the same objective',
  'the fastest counts. qp-1000x1000-warm-ms: utilities moved by ±1 %, from the prices before.',
  'Memory: the peak of a process that builds and solves once, Node included.',
]

/** How fast allocations are solved, beside solvers for any linear or quadratic programme. */
export async function allocation(): Promise<Report> {
  const figures: Figure[] = []
  const notes = [...conditions]
  for (const one of cases) {
    const { figure, remarks, draft, found } = await measure(one)
    figures.push(figure)
    notes.push(...remarks)
    if (one.metric === 'qp-1000x1000-ms') {
      figures.push(measureWarm(draft, found.prices))
      notes.push('qp-1000x1000-warm-ms: no peer: none takes prices of a similar programme here.')
    }
    if (one.metric === 'qp-10000x1000-ms') figures.push(memoryFigure(draft))
  }
  figures.push(verifyFigure(name))
  notes.push('verify-200x256-ms: no peer: who verifies elsewhere solves again.')
  return { figures, notes }
}

type Measured = {
  readonly figure: Figure
  readonly remarks: readonly string[]
  readonly draft: Draft
  readonly found: Found
}

async function measure(one: Case): Promise<Measured> {
  const draft = instance('base', one.operators, one.tasks, seed)
  if (one.isLinear) draft.congestion.fill(0)
  const programme = toProgramme(draft)
  const firstMs = timed(programme)
  const found = warmUp(programme)
  const ours: number[] = []
  const best: { ms: number | null; name?: PeerName } = { ms: null }
  const remarks = [`${one.metric}: ${firstMs.toFixed(1)} ms when it was first solved.`]
  for (const peer of one.peers) {
    const running = await startPeer(peer, draft, one.limitS)
    if (!running) {
      remarks.push(`${one.metric}: no ${peer}: ${hintFor(peer)}`)
      continue
    }
    const { ms, remark } = await alternate(one, running, peer, programme, found, ours)
    remarks.push(`${one.metric}: ${peer} ${remark}`)
    if (ms !== null && (best.ms === null || ms < best.ms)) Object.assign(best, { ms, name: peer })
  }
  while (ours.length < one.ours) ours.push(timed(programme))
  if (one.peers.length === 0) remarks.push(`${one.metric}: no peer: none solves this size here.`)
  const figure = cost(name, one.metric, {
    ours: median(ours),
    peer: best.ms,
    unit: 'ms',
    n: one.operators,
  })
  return { figure, remarks, draft, found }
}

/** Peer and ours in turn; `ms` is null when the peer does not get there. */
async function alternate(
  one: Case,
  running: Peer,
  peer: PeerName,
  programme: Programme,
  found: Found,
  ours: number[],
): Promise<{ readonly ms: number | null; readonly remark: string }> {
  const times: number[] = []
  try {
    for (let round = 0; round < one.rounds; round++) {
      const run = await running.solve()
      for (let k = 0; k < one.ours; k++) ours.push(timed(programme))
      if (!run.done) return { ms: null, remark: `did not end within ${one.limitS} s.` }
      const off = Math.abs(run.objective - found.objective) / Math.abs(found.objective)
      const differs = `has an objective that differs by ${off.toExponential(1)}`
      if (off > agreement && peer === 'osqp')
        return { ms: null, remark: `${differs}: not counted.` }
      if (off > agreement) throw new Error(`${one.metric}: ${peer} ${differs}`)
      times.push(run.ms)
    }
  } finally {
    running.stop()
  }
  return { ms: median(times), remark: `took ${median(times)} ms, to the same objective.` }
}

/** Each solve starts from the optimum of the base and has other utilities. */
function measureWarm(draft: Draft, start: Prices): Figure {
  const times: number[] = []
  for (let k = 0; k < 15; k++) {
    const random = seeded(1000 + k)
    const utility = draft.utility.map((u) => u * (0.99 + 0.02 * random()))
    const programme = toProgramme({ ...draft, utility })
    if (k === 0) warmUp(programme, start)
    times.push(timed(programme, start))
  }
  const { operators: n } = draft
  return cost(name, 'qp-1000x1000-warm-ms', { ours: median(times), peer: null, unit: 'ms', n })
}

/** Peak memory of a process that solves once, over the size of the programme's data. */
function memoryFigure({ operators: n, utility }: Draft): Figure {
  const script = join(import.meta.dirname, 'allocation-memory.ts')
  const peak = Number(execFileSync(process.execPath, [script], { encoding: 'utf8' }))
  const ours = Math.round((peak / utility.byteLength) * 100) / 100
  return cost(name, 'qp-10000x1000-memory', { ours, peer: null, unit: '× data', n })
}

const warmUpMs = 1500

/** Solves again and again, so that what is timed afterwards is compiled. */
function warmUp(programme: Programme, start?: Prices): Found {
  const from = performance.now()
  let found = solved(programme, start)
  while (performance.now() - from < warmUpMs) found = solved(programme, start)
  return found
}

function timed(programme: Programme, start?: Prices): number {
  const from = performance.now()
  solved(programme, start)
  return performance.now() - from
}

function solved(programme: Programme, start?: Prices): Found {
  const solution = solve(programme, start ? { start } : {})
  if (solution.status !== 'optimal') throw new Error(`our solver says ${solution.status}`)
  return solution
}

const hintFor = (peer: PeerName): string =>
  `${python()} cannot run it; \`${python()} -m pip install numpy scipy ${packages[peer]}\`, ` +
  'or name another Python in NODEOP_PYTHON.'

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round((sorted[sorted.length >> 1] as number) * 1000) / 1000
}
