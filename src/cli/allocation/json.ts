import {
  defaultUtilityRule,
  expectedHarm,
  expectedSlash,
  type Merits,
  type ProgrammeParts,
  type Resource,
  type UtilityRule,
  unitUtility,
} from '#model'
import { createJsonReader, type Faulty, type JsonReader as Reader } from '#primitives'
import type { AllocationFile } from './file.ts'
import { inFileTerms, type PlaceOf } from './terms.ts'

/**
 * Reads `{ tasks, operators, pairs, scores? }`. A pair that is not listed cannot be. Each pair says
 * what a unit earns, or how the operator scores, from which that follows.
 *
 * @throws what `faulty` makes, for the first entry that cannot be.
 */
export function readJson(text: string, faulty: Faulty): AllocationFile {
  const file = createJsonReader(parse(text, faulty), faulty)
  file.only('tasks', 'operators', 'pairs', 'scores')
  const tasks = file.list('tasks')
  const operators = file.list('operators')
  for (const task of tasks) task.only(...taskFields)
  for (const operator of operators) operator.only(...operatorFields)
  const taskNames = namesIn(tasks)
  const operatorNames = namesIn(operators)
  const pairs = pairsOf(file.list('pairs'), operatorNames, taskNames)
  const shape = { operators, tasks, pairs }
  const groups = groupsOf(shape, faulty)
  const placeOf: PlaceOf = (part, row, column) => {
    const where = [
      ...(row < 0 ? [] : [`operators[${row}] ("${operatorNames[row]}")`]),
      ...(column < 0 ? [] : [`tasks[${column}] ("${taskNames[column]}")`]),
    ].join(', ')
    return `${where && `${where}: `}${part}`
  }
  return {
    operators: operatorNames,
    tasks: taskNames,
    groups: groups.names,
    parts: inFileTerms(faulty, placeOf, () => ({
      ...partsOf(file, shape, faulty),
      ...groups.part,
    })),
    placeOf,
  }
}

const taskFields = [
  ...['name', 'demand', 'cap', 'shortfallPrice', 'securityFloor', 'groupShare', 'use'],
  ...['value', 'harm', 'detection'],
]
const operatorFields = [
  ...['name', 'capacity', 'congestion', 'loadCongestion', 'stake', 'group'],
  ...['trust', 'slash'],
]
const pairFields = [
  ...['operator', 'task', 'utility', 'congestion', 'cap', 'use'],
  ...['consensus', 'performance', 'cost'],
]

type Shape = {
  readonly operators: readonly Reader[]
  readonly tasks: readonly Reader[]
  /** Shape [N × M]; undefined where the operator cannot. */
  readonly pairs: readonly (Reader | undefined)[]
}

function parse(text: string, faulty: Faulty): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw faulty(`is no JSON: ${(cause as Error).message}`)
  }
}

function namesIn(readers: readonly Reader[]): string[] {
  const names: string[] = []
  for (const reader of readers) {
    const name = reader.text('name')
    if (names.includes(name)) throw reader.fault('name', `${JSON.stringify(name)} stands twice`)
    names.push(name)
  }
  return names
}

function pairsOf(
  listed: readonly Reader[],
  operators: readonly string[],
  tasks: readonly string[],
): (Reader | undefined)[] {
  const pairs = new Array<Reader | undefined>(operators.length * tasks.length).fill(undefined)
  const rows = positions(operators)
  const columns = positions(tasks)
  for (const pair of listed) {
    pair.only(...pairFields)
    const at = known(pair, 'operator', rows) * tasks.length + known(pair, 'task', columns)
    if (pairs[at]) throw pair.fault('task', 'this pair stands twice')
    pairs[at] = pair
  }
  return pairs
}

const positions = (names: readonly string[]) => new Map(names.map((name, at) => [name, at]))

function known(pair: Reader, field: string, places: ReadonlyMap<string, number>): number {
  const name = pair.text(field)
  const at = places.get(name)
  if (at === undefined) throw pair.fault(field, `there is no ${field} ${JSON.stringify(name)}`)
  return at
}

function partsOf(file: Reader, shape: Shape, faulty: Faulty): Omit<ProgrammeParts, 'groups'> {
  const { operators, tasks, pairs } = shape
  const m = tasks.length
  const own = operators.map((operator) => operator.number('congestion', 0))
  const has = (readers: readonly Reader[], field: string) => readers.some((one) => one.has(field))
  const all = (readers: readonly Reader[], field: string) =>
    Float64Array.from(readers, (one) => one.number(field))
  const needsStake = has(tasks, 'securityFloor')
  return {
    operators: operators.length,
    tasks: m,
    utility: utilityOf(file, shape, faulty),
    congestion: pairs.some((pair) => pair?.has('congestion'))
      ? Float64Array.from(pairs, (pair, e) => {
          const usual = own[Math.floor(e / m)] as number
          return pair?.number('congestion', usual) ?? usual
        })
      : Float64Array.from(own),
    ...(has(operators, 'loadCongestion') && {
      loadCongestion: Float64Array.from(operators, (one) => one.number('loadCongestion', 0)),
    }),
    resources: resourcesOf(shape),
    demand: all(tasks, 'demand'),
    ...(has(tasks, 'shortfallPrice') && { shortfallPrice: all(tasks, 'shortfallPrice') }),
    cap: Float64Array.from(pairs, (pair, e) => {
      const usual = (tasks[e % m] as Reader).number('cap', Infinity)
      return pair ? Math.min(pair.number('cap', Infinity), usual) : 0
    }),
    ...(needsStake && {
      security: {
        stake: all(operators, 'stake'),
        floor: Float64Array.from(tasks, (task) => task.number('securityFloor', 0)),
      },
    }),
  }
}

/** One resource without a name, or those that the operators' capacities name. */
function resourcesOf({ operators, tasks, pairs }: Shape): Resource[] {
  const plain = 'capacity'
  const names = [...new Set(operators.flatMap((one) => one.keysOf('capacity') ?? [plain]))]
  const amount = (reader: Reader, field: string, name: string, otherwise?: number): number => {
    const keyed = reader.keysOf(field)
    if (keyed) return reader.within(field).number(name, otherwise)
    return name === plain ? reader.number(field, otherwise) : reader.missing(field, name, otherwise)
  }
  for (const reader of [...tasks, ...pairs])
    if (reader?.keysOf('use')) reader.within('use').only(...names)
  const isUsed = [...tasks, ...pairs].some((reader) => reader?.has('use'))
  return names.map((name) => ({
    name,
    capacity: Float64Array.from(operators, (one) => amount(one, 'capacity', name)),
    ...(isUsed && {
      use: Float64Array.from(pairs, (pair, e) => {
        const usual = amount(tasks[e % tasks.length] as Reader, 'use', name, 1)
        return pair ? amount(pair, 'use', name, usual) : usual
      }),
    }),
  }))
}

function groupsOf(
  { operators, tasks }: Shape,
  faulty: Faulty,
): { readonly names: readonly string[]; readonly part: Pick<ProgrammeParts, 'groups'> } {
  if (!tasks.some((task) => task.has('groupShare'))) return { names: [], part: {} }
  const each = operators.map((one) => (one.has('group') ? one.text('group') : undefined))
  const names = [...new Set(each.filter((name) => name !== undefined))]
  if (names.length === 0) throw faulty('a "groupShare" needs operators with a "group"')
  const of = Int32Array.from(each, (name) => (name === undefined ? -1 : names.indexOf(name)))
  const share = Float64Array.from(tasks, (task) => task.number('groupShare', 1))
  return { names, part: { groups: { count: names.length, of, share } } }
}

/** What a unit of each pair earns: as listed, or from scores, trust and cost. */
function utilityOf(file: Reader, shape: Shape, faulty: Faulty): Float64Array {
  const { operators, tasks, pairs } = shape
  if (!file.has('scores')) return Float64Array.from(pairs, (pair) => pair?.number('utility') ?? 0)
  if (pairs.some((pair) => pair?.has('utility')))
    throw faulty('scores: with them, pairs must not have a "utility" of their own')
  const scores = file.within('scores')
  scores.only('mode', 'consensusWeight', 'performanceWeight', 'trustExponent', 'corruption')
  const consensusWeight = scores.number('consensusWeight', defaultUtilityRule.consensusWeight)
  const rule: UtilityRule = {
    mode: scores.oneOf('mode', ['trust', 'paper']),
    consensusWeight,
    performanceWeight: scores.number('performanceWeight', 1 - consensusWeight),
    trustExponent: scores.number('trustExponent', defaultUtilityRule.trustExponent),
  }
  const each = (field: string) =>
    Float64Array.from(pairs, (pair) => (pair ? pair.number(field) : 0))
  const merits: Merits = {
    operators: operators.length,
    tasks: tasks.length,
    value: Float64Array.from(tasks, (task) => task.number('value')),
    consensus: each('consensus'),
    performance: each('performance'),
    trust: Float64Array.from(operators, (one) => one.number('trust', 1)),
    cost: each('cost'),
  }
  const corruptionCost = corruptionOf(scores, shape, merits.trust)
  return unitUtility({ ...merits, ...(corruptionCost && { corruptionCost }) }, rule)
}

/** Corruption as the network sees it, or as an operator does; none without the field. */
function corruptionOf(
  scores: Reader,
  { operators, tasks }: Shape,
  trust: Float64Array,
): Float64Array | undefined {
  if (!scores.has('corruption')) return undefined
  const corruption = scores.within('corruption')
  corruption.only('view', 'worstChance')
  const each = (readers: readonly Reader[], field: string) =>
    Float64Array.from(readers, (one) => one.number(field))
  return corruption.oneOf('view', ['network', 'operator']) === 'network'
    ? expectedHarm(trust, corruption.number('worstChance'), each(tasks, 'harm'))
    : expectedSlash(each(operators, 'slash'), each(tasks, 'detection'))
}
