import {
  type Allocation,
  type Binding,
  bindings,
  capacityWorth,
  describeBinding,
  type Found,
  type Infeasible,
  type Programme,
  type ProgrammeParts,
  primalValue,
  type Solution,
  toDense,
} from '#model'
import { columns } from '../cli.ts'
import { type AllocationFile, namesOf } from './file.ts'

/** What `nodeop allocate` says, by the file's names. */
export type Answer = FoundAnswer | InfeasibleAnswer

type FoundAnswer = {
  /** Of the allocation before it was rounded. */
  readonly status: Found['status']
  readonly isRounded: boolean
  readonly objective: number
  /** No allocation earns more. */
  readonly bound: number
  readonly gap: number
  readonly violation: number
  readonly operators: readonly OperatorAnswer[]
  readonly tasks: readonly TaskAnswer[]
  readonly binding: readonly (Binding & { readonly words: string })[]
}

type OperatorAnswer = {
  readonly name: string
  /** Units of work by task, where there are any. */
  readonly work: Readonly<Record<string, number>>
  readonly limits: readonly {
    readonly resource: string
    readonly used: number
    readonly capacity: number
    /** What one more unit of it would add. */
    readonly worth: number
  }[]
}

type TaskAnswer = {
  readonly name: string
  readonly demand: number
  readonly served: number
  readonly missed: number
  /** What one more unit of demand would add. */
  readonly worth: number
}

type InfeasibleAnswer = {
  readonly status: 'infeasible'
  readonly tasks: readonly string[]
  readonly limits: readonly { readonly operator: string; readonly resource: string }[]
  readonly excess: number
  readonly words: string
}

/** Other units than those that were found: whole ones. */
export type Whole = { readonly allocation: Allocation; readonly shortfall: Float64Array }

/** Puts names to a solution. */
export const answerOf = (
  file: AllocationFile,
  programme: Programme,
  solution: Solution,
  whole?: Whole,
): Answer =>
  solution.status === 'infeasible'
    ? infeasibleAnswer(file, solution)
    : foundAnswer(file, programme, solution, whole)

function foundAnswer(
  file: AllocationFile,
  programme: Programme,
  found: Found,
  whole: Whole | undefined,
): FoundAnswer {
  const { allocation, shortfall } = whole ?? found

  const { tasks: m, demand, operators: n } = programme
  const x = toDense(allocation, m)
  const worth = capacityWorth(programme, found)
  const names = namesOf(file)
  const { status, bound } = found
  const checked = whole ? primalValue(programme, allocation, shortfall) : found
  const { objective, violation } = checked
  return {
    status,
    isRounded: whole !== undefined,
    objective,
    bound,
    gap: Math.abs(bound - objective) / Math.max(Math.abs(bound), Math.abs(objective), 1e-300),
    violation,
    operators: file.operators.map((name, i) => ({
      name,
      work: Object.fromEntries(
        file.tasks.flatMap((task, t) =>
          (x[i * m + t] as number) > 0 ? [[task, x[i * m + t]]] : [],
        ),
      ) as Record<string, number>,
      limits: programme.resources.map(({ name: resource, capacity, use }, k) => ({
        resource,
        used: sumOf(m, (t) => (x[i * m + t] as number) * usedBy(use, i, t, m)),
        capacity: capacity[i] as number,
        worth: worth[k * n + i] as number,
      })),
    })),
    tasks: file.tasks.map((name, t) => ({
      name,
      demand: demand[t] as number,
      served: sumOf(n, (i) => x[i * m + t] as number),
      missed: Math.max(shortfall[t] as number, 0),
      worth: found.prices.demand[t] as number,
    })),
    binding: bindings(programme, found).map((binding) => ({
      ...binding,
      words: describeBinding(binding, names),
    })),
  }
}

function infeasibleAnswer(file: AllocationFile, { certificate }: Infeasible): InfeasibleAnswer {
  const tasks = certificate.tasks.map((t) => file.tasks[t] ?? '')
  const limits = certificate.limits.map(({ operator, resource }) => ({
    operator: file.operators[operator] ?? '',
    resource: file.parts.resources[resource]?.name ?? '',
  }))
  const excess = figure(certificate.excess)
  const who = [...new Set(limits.map(({ operator }) => operator))]
  const inTheWay = who.length > 0 ? ` the limits of ${listed(who)}, and` : ''
  const words =
    `no allocation meets all demand: ${listed(tasks)} together ask for ${excess} more than` +
    `${inTheWay} what all others may do of them, allow; raise limits, lower demand, or give a ` +
    'shortfall price'
  return { status: 'infeasible', tasks, limits, excess: certificate.excess, words }
}

const usedBy = (use: Float64Array | undefined, i: number, t: number, m: number): number =>
  use === undefined ? 1 : (use[use.length === m ? t : i * m + t] as number)

function sumOf(count: number, term: (at: number) => number): number {
  let sum = 0
  for (let at = 0; at < count; at++) sum += term(at)
  return sum
}

/** Names in words, the first few of many. */
function listed(names: readonly string[]): string {
  const most = 8
  const rest = names.length - most
  return rest > 0 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ')
}

/** Tasks up to which each has a column of its own. */
const widest = 8
const mostWords = 20

/** The answer for people: tables, and what binds in words. */
export function describeAnswer(answer: Answer, parts: ProgrammeParts): string[] {
  if (answer.status === 'infeasible') return [`infeasible: ${answer.words}`]
  const { status, isRounded, objective, bound, gap, violation, binding } = answer
  const how = isRounded ? `${status}, rounded` : status
  const more = binding.length - mostWords
  return [
    `${how}: earns ${figure(objective)}, and no allocation more than ${figure(bound)}` +
      ` (gap ${gap.toExponential(1)}, violation ${violation.toExponential(1)})`,
    '',
    ...describeOperators(answer),
    '',
    ...columns([
      ['task', 'demand', 'served', 'missed', 'worth of one more'],
      ...answer.tasks.map(({ name, demand, served, missed, worth }) => [
        name,
        ...[demand, served, amount(missed, demand), worth].map(text),
      ]),
    ]),
    '',
    ...(binding.length > 0 ? ['What holds it back:'] : []),
    ...binding.slice(0, mostWords).map(({ words }) => `  ${words}`),
    ...(more > 0 ? [`  … and ${more} more with --json.`] : []),
    ...remarks(parts),
  ]
}

function describeOperators({ operators, tasks }: FoundAnswer): string[] {
  const shown = tasks.length <= widest ? tasks.map(({ name }) => name) : []
  const limits = operators[0]?.limits ?? []
  const head = limits.flatMap(({ resource }) => [resource, 'used', 'worth of one more'])
  return columns([
    ['operator', ...head, ...shown],
    ...operators.map(({ name, limits, work }) => [
      name,
      ...limits.flatMap(({ capacity, used, worth }) => [capacity, used, worth].map(text)),
      ...shown.map((task) => text(work[task] ?? 0)),
    ]),
  ])
}

const remarks = ({ congestion }: ProgrammeParts): string[] =>
  congestion.every((q) => q === 0)
    ? ['No congestion: a small change of what pairs earn can move whole tasks.']
    : []

const figure = (value: number): number => Number(value.toPrecision(6))

/** What is below the solver's accuracy is nothing. */
const amount = (value: number, whole: number): number => (value < 1e-9 * whole ? 0 : value)

const text = (value: number): string => String(Number(value.toPrecision(5)))
