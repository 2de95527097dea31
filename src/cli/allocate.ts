import { Command } from 'commander'
import { toJson } from '#api'
import {
  createProgramme,
  type Programme,
  type ProgrammeParts,
  type Solution,
  solve,
  toShares,
} from '#model'
import type { Faulty } from '#primitives'
import { type Answer, answerOf, describeAnswer } from './allocation/answer.ts'
import { type AllocationFile, faultyIn, loadAllocationFile } from './allocation/file.ts'
import { inFileTerms } from './allocation/terms.ts'
import { exitCodes, type Surroundings, UsageError } from './cli.ts'

type Options = { readonly json?: boolean; readonly unit?: string }

/** `nodeop allocate`: who should do how much of what, and what holds it back. */
export const allocateCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('allocate')
    .description('allocate tasks to operators by a file; see docs/guides/allocation.md')
    .argument('<file>', 'operators, tasks and what each pair earns: CSV, or JSON by its name')
    .option('--unit <size>', 'round to whole multiples of this, within every limit')
    .option('--json', 'print one JSON line')
    .action((file: string, options: Options) => finish(allocate(file, options, around)))

function allocate(path: string, options: Options, { io, cwd }: Surroundings): number {
  const unit = unitOf(options.unit)
  const file = loadAllocationFile(path, cwd)
  const faulty = faultyIn(path)
  const programme = inFileTerms(faulty, file.placeOf, () => createProgramme(file.parts))
  requireRange(file, faulty)
  const solution = solveFinely(programme)
  const whole = inFileTerms(faulty, file.placeOf, () => rounded(programme, solution, unit))
  const answer = answerOf(file, programme, solution, whole)
  for (const line of options.json ? [toJson(answer)] : describeAnswer(answer, file.parts))
    io.write(line)
  return isGood(answer) ? exitCodes.ok : exitCodes.failed
}

/** People should not see noise beside round figures; where that cannot be had, the usual answer. */
function solveFinely(programme: Programme): Solution {
  const solution = solve(programme, { tolerance: 1e-9 })
  return solution.status === 'stalled' ? solve(programme) : solution
}

const isGood = ({ status }: Answer): boolean => status === 'optimal'

/**
 * Whole multiples of the unit, as units of work, and all demand beyond them as missed; undefined
 * where that was not asked for.
 */
function rounded(programme: Programme, solution: Solution, unit: number | undefined) {
  if (unit === undefined || solution.status === 'infeasible') return undefined
  const { units, start, task } = toShares(programme, solution.allocation, unit)
  const work = units.map((count) => count * unit)
  const { demand } = programme
  const missed = demand.slice()
  work.forEach((done, e) => {
    const t = task[e] as number
    missed[t] = (missed[t] as number) - done
  })
  const shortfall = missed.map((rest, t) => (rest > 1e-12 * (demand[t] as number) ? rest : 0))
  return { allocation: { start, task, units: work }, shortfall }
}

/** Numbers further apart than this leave the arithmetic of doubles no digits. */
const mostInSize = 1e15

/** @throws BadAllocationFileError for the first number that is too large; Infinity is no limit. */
function requireRange(file: AllocationFile, faulty: Faulty): void {
  const { operators, tasks } = file.parts
  for (const [part, values, along] of listsOf(file.parts)) {
    const at = values?.findIndex((v) => Math.abs(v) > mostInSize && Math.abs(v) < Infinity) ?? -1
    if (at < 0 || !values) continue
    const isPair = values.length > (along === 'row' ? operators : tasks)
    const place = isPair
      ? file.placeOf(part, Math.floor(at / tasks), at % tasks)
      : file.placeOf(part, along === 'row' ? at : -1, along === 'row' ? -1 : at)
    throw faulty(`${place} must be at most 1e15 in size, is ${values[at]}`)
  }
}

/** A list of numbers; where it has one for each pair, `along` does not matter. */
type List = readonly [part: string, values: Float64Array | undefined, along: 'row' | 'column']

/** Every list of numbers that nothing else bounds, by the name that its faults have. */
function listsOf({ resources, security, ...parts }: ProgrammeParts): readonly List[] {
  return [
    ['utility', parts.utility, 'row'],
    ['congestion', parts.congestion, 'row'],
    ['load congestion', parts.loadCongestion, 'row'],
    ['demand', parts.demand, 'column'],
    ['cap', parts.cap, 'column'],
    ['shortfall price', parts.shortfallPrice, 'column'],
    ...resources.flatMap(({ name, capacity, use }): readonly List[] => [
      [`capacity of ${name}`, capacity, 'row'],
      [`use of ${name}`, use, 'column'],
    ]),
    ['stake', security?.stake, 'row'],
    ['security floor', security?.floor, 'column'],
  ]
}

function unitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const unit = Number(text)
  if (text.trim() !== '' && unit > 0 && unit < Infinity) return unit
  throw new UsageError(`--unit ${JSON.stringify(text)} is not allowed; allowed: a positive number`)
}
