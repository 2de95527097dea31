// node bench/allocation-robustness.ts [seeds]: every hard family at the sizes that count, checked
// by an independent duality gap. Ends with 1 when one answer is not within 10^-6.
import { solve } from '#model'
import { verdictOf } from './allocation-check.ts'
import {
  type Draft,
  type Family,
  families,
  hardSizes,
  infeasible,
  instance,
  single,
  toProgramme,
} from './allocation-instances.ts'

const seeds = Number(process.argv[2] ?? 20)
const tolerance = 1e-6

type Tally = { solved: number; gap: number; violation: number; readonly ms: number[] }

let failures = 0
const kinds = [...(Object.keys(families) as Family[]), 'one operator', 'infeasible'] as const
for (const [operators, tasks] of hardSizes) {
  process.stdout.write(`\n${operators} × ${tasks}: solved, worst gap, worst violation, ms\n`)
  for (const kind of kinds) {
    const tally: Tally = { solved: 0, gap: 0, violation: 0, ms: [] }
    for (let seed = 1; seed <= seeds; seed++)
      count(kind, draftOf(kind, operators, tasks, seed), tally)
    failures += seeds - tally.solved
    const [gap, violation] = [tally.gap, tally.violation].map((value) => value.toExponential(1))
    const ms = tally.ms.toSorted((a, b) => a - b)
    const times = `${ms[ms.length >> 1]?.toFixed(1)} (worst ${ms.at(-1)?.toFixed(1)})`
    const line = [kind.padEnd(30), `${tally.solved}/${seeds}`, gap, violation, times]
    process.stdout.write(`${line.join('  ')}\n`)
  }
}
process.exit(failures === 0 ? 0 : 1)

function draftOf(
  kind: (typeof kinds)[number],
  operators: number,
  tasks: number,
  seed: number,
): Draft {
  if (kind === 'one operator') return single(tasks, seed)
  if (kind === 'infeasible') return infeasible(operators, tasks, seed)
  return instance(kind, operators, tasks, seed)
}

function count(kind: (typeof kinds)[number], draft: Draft, tally: Tally): void {
  const programme = toProgramme(draft)
  const from = performance.now()
  const solution = solve(programme)
  tally.ms.push(performance.now() - from)
  if (solution.status === 'infeasible') {
    if (kind === 'infeasible' && solution.certificate.excess > 0) tally.solved++
    return
  }
  const { gap, violation } = verdictOf(programme, solution)
  tally.gap = Math.max(tally.gap, gap)
  tally.violation = Math.max(tally.violation, violation)
  const isGood = gap <= tolerance && violation <= tolerance && solution.status === 'optimal'
  if (kind !== 'infeasible' && isGood) tally.solved++
}
