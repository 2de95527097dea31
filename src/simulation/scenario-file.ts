import { createJsonReader, DomainError, type Faulty, type JsonReader } from '#primitives'
import { isParameter, isWithinBounds, parameterDefinitions } from '#protocol'
import { capabilities, maxCommittee, maxOperators, maxServices } from '#records'
import type {
  Scenario,
  ScenarioEvent,
  ScenarioOperator,
  ScenarioService,
  Traits,
} from './scenario.ts'

/** Numbers that a field may hold. */
type Range = { readonly min: number; readonly max: number; readonly isWhole?: boolean }

const count = (min: number, max: number): Range => ({ min, max, isWhole: true })
const chance: Range = { min: 0, max: 1 }
/** Money of a scenario: small enough that all of a run adds up exactly. */
const money: Range = { min: 0, max: 1e9 }
const bps = count(0, 10_000)

/** Longest run, and most tasks in an epoch: what the ledger remembers has bounds. */
const epochRange = count(1, 10_000)
const demandRange: Range = { min: 0, max: 4_000 }
const epochMsRange = count(1_000, 3_600_000)
const blockMsRange = count(50, 10_000)

/**
 * A scenario from what a file of JSON holds; the guide lists its fields.
 *
 * @param title - names the file in errors.
 * @throws BadScenarioError for the first field that cannot be: its place and the rule.
 */
export function readScenario(value: unknown, title: string): Scenario {
  const faulty: Faulty = (problem) => new BadScenarioError(`${title}: ${problem}`)
  const file = createJsonReader(value, faulty)
  file.only(...['name', 'epochs', 'epochMs', 'blockMs', 'seed'], ...lists, 'parameters')
  const operators = file.list('operators').flatMap(readOperators)
  const services = file.list('services').map(readService)
  requireDistinct(file, 'operators', operators, maxOperators)
  requireDistinct(file, 'services', services, maxServices)
  const epochs = within(file, 'epochs', epochRange, 40)
  const joins = operators.find((one) => one.joins > epochs)
  if (joins) throw file.fault('operators', `${joins.name} joins after the last epoch, ${epochs}`)
  const events = file.has('events')
    ? file.list('events').flatMap((one) => readEvent(one, { operators, services, epochs }))
    : []
  requireMembers(file, { operators, epochs, events })
  return {
    // The same file has the same name wherever it lies.
    name: file.has('name') ? file.text('name') : (title.split(/[\\/]/).at(-1) ?? title),
    epochs,
    epochMs: within(file, 'epochMs', epochMsRange, 10_000),
    blockMs: within(file, 'blockMs', blockMsRange, 250),
    seed: within(file, 'seed', count(0, Number.MAX_SAFE_INTEGER), 1),
    parameters: readParameters(file),
    operators,
    services,
    events,
  }
}

const lists = ['operators', 'services', 'events']

const traitRanges = {
  capacity: count(0, 1_000_000),
  speedMs: { min: 0, max: 3_600_000 },
  cost: money,
  failure: chance,
  lie: chance,
  collude: chance,
  declaredCapacity: count(0, 1_000_000),
  declaredCost: money,
} as const satisfies Record<keyof Traits, Range>

const usualTraits: Traits = {
  capacity: 100_000,
  speedMs: 300,
  cost: 0,
  failure: 0,
  lie: 0,
  collude: 0,
  declaredCapacity: undefined,
  declaredCost: undefined,
}

const traitNames = Object.keys(traitRanges) as (keyof Traits)[]

const nameRule = 'of a-z, 0-9, - and ., a letter first'
const nameShape = /^[a-z][a-z0-9.-]{0,30}$/

/** One entry; several, numbered, where it has a `count`. */
function readOperators(entry: JsonReader): readonly ScenarioOperator[] {
  entry.only('name', 'count', 'capabilities', 'group', 'joins', ...traitNames)
  const name = nameIn(entry)
  const copies = within(entry, 'count', count(1, maxOperators), 1)
  const operator: ScenarioOperator = {
    name,
    ...usualTraits,
    ...readTraits(entry),
    capabilities: capabilitiesIn(entry, 'capabilities'),
    group: groupIn(entry),
    joins: within(entry, 'joins', count(0, epochRange.max), 0),
  }
  if (!entry.has('count')) return [operator]
  return Array.from({ length: copies }, (_, i) => ({ ...operator, name: `${name}-${i + 1}` }))
}

/** Those traits that an entry names. */
const readTraits = (entry: JsonReader): Partial<Traits> =>
  Object.fromEntries(
    traitNames
      .filter((field) => entry.has(field))
      .map((field) => [field, within(entry, field, traitRanges[field])]),
  )

function readService(entry: JsonReader): ScenarioService {
  entry.only(
    ...['name', 'rule', 'committee', 'fee', 'commitMs', 'revealMs', 'toleranceBps', 'noiseBps'],
    ...['auditToleranceBps', 'requires', 'demand'],
  )
  return {
    name: nameIn(entry),
    rule: entry.oneOf('rule', ['median', 'exact', 'trimmed', 'mean']),
    committee: within(entry, 'committee', count(1, maxCommittee), 4),
    fee: within(entry, 'fee', money, 1),
    commitMs: within(entry, 'commitMs', count(1, 3_600_000), 3_000),
    revealMs: within(entry, 'revealMs', count(1, 3_600_000), 3_000),
    toleranceBps: within(entry, 'toleranceBps', bps, 100),
    auditToleranceBps: within(entry, 'auditToleranceBps', bps, 500),
    noiseBps: within(entry, 'noiseBps', bps, 0),
    requires: capabilitiesIn(entry, 'requires'),
    demand: within(entry, 'demand', demandRange, 20),
  }
}

type Known = Pick<Scenario, 'operators' | 'services' | 'epochs'>

function readEvent(entry: JsonReader, known: Known): readonly ScenarioEvent[] {
  const epoch = within(entry, 'epoch', count(1, known.epochs))
  if (entry.has('service')) {
    entry.only('epoch', 'service', 'demand')
    const service = placeOf(entry, 'service', known.services, entry.text('service'))
    return [{ kind: 'demand', epoch, service, demand: within(entry, 'demand', demandRange) }]
  }
  entry.only('epoch', 'operators', 'does', ...traitNames)
  const names = entry.texts('operators')
  if (names.length === 0) throw entry.fault('operators', 'must name an operator')
  const changes = readTraits(entry)
  const does = entry.oneOf('does', ['change', 'join', 'leave', 'stop', 'start'])
  if (does === 'change' && Object.keys(changes).length === 0)
    throw entry.fault('does', `"change" needs one of ${traitNames.join(', ')}`)
  const operators = names.flatMap((name) => placesOf(entry, known.operators, name))
  return [{ kind: 'operators', epoch, operators, does, changes }]
}

/** The operator of a name, or all that a `count` has made of it. */
function placesOf(
  entry: JsonReader,
  operators: readonly ScenarioOperator[],
  name: string,
): readonly number[] {
  const numbered = operators.flatMap((one, place) =>
    one.name.startsWith(`${name}-`) && /^\d+$/.test(one.name.slice(name.length + 1)) ? [place] : [],
  )
  const isOne = operators.some((one) => one.name === name)
  return isOne || numbered.length === 0 ? [placeOf(entry, 'operators', operators, name)] : numbered
}

function placeOf(
  entry: JsonReader,
  field: string,
  among: readonly { readonly name: string }[],
  name: string,
): number {
  const place = among.findIndex((one) => one.name === name)
  if (place < 0) throw entry.fault(field, `there is no ${JSON.stringify(name)}`)
  return place
}

function readParameters(file: JsonReader): Scenario['parameters'] {
  const names = file.keysOf('parameters')
  if (!names && file.has('parameters')) file.within('parameters')
  return (names ?? []).map((name) => {
    const entry = file.within('parameters')
    if (name === 'epochMs') throw entry.fault(name, 'stands in the file itself')
    if (!isParameter(name)) throw entry.fault(name, 'is no governed parameter')
    const value = entry.number(name)
    const { min, max } = parameterDefinitions[name]
    if (!Number.isInteger(value) || !isWithinBounds(name, BigInt(value)))
      throw entry.fault(name, `must be a whole number from ${min} to ${max}, is ${value}`)
    return { name, value }
  })
}

/** There is always somebody to make blocks. */
function requireMembers(
  file: JsonReader,
  { operators, epochs, events }: Pick<Scenario, 'operators' | 'epochs' | 'events'>,
): void {
  const members = new Set<number>()
  for (let epoch = 0; epoch <= epochs; epoch++) {
    for (const event of events)
      if (event.kind === 'operators' && event.epoch === epoch)
        for (const place of event.operators)
          if (event.does === 'leave') members.delete(place)
          else if (event.does === 'join') members.add(place)
    for (const [place, { joins }] of operators.entries()) if (joins === epoch) members.add(place)
    if (members.size > 0) continue
    throw epoch === 0
      ? file.fault('operators', 'at least one must be there from the beginning')
      : file.fault('events', `nobody is left in epoch ${epoch}`)
  }
}

function within(reader: JsonReader, field: string, range: Range, otherwise?: number): number {
  const value = reader.number(field, otherwise)
  const { min, max, isWhole } = range
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return value
  const kind = isWhole ? 'a whole number' : 'a number'
  throw reader.fault(field, `must be ${kind} from ${min} to ${max}, is ${value}`)
}

function nameIn(entry: JsonReader): string {
  const name = entry.text('name')
  if (nameShape.test(name)) return name
  throw entry.fault('name', `must be ${nameRule}, is ${JSON.stringify(name)}`)
}

function groupIn(entry: JsonReader): string {
  if (!entry.has('group')) return ''
  const group = entry.text('group')
  if (nameShape.test(group)) return group
  throw entry.fault('group', `must be ${nameRule}, is ${JSON.stringify(group)}`)
}

function capabilitiesIn(entry: JsonReader, field: string): ScenarioOperator['capabilities'] {
  const named = entry.texts(field)
  const stranger = named.find((name) => !(capabilities as readonly string[]).includes(name))
  if (stranger !== undefined)
    throw entry.fault(field, `${JSON.stringify(stranger)} is none of ${capabilities.join(', ')}`)
  return capabilities.filter((one) => named.includes(one))
}

function requireDistinct(
  file: JsonReader,
  field: string,
  entries: readonly { readonly name: string }[],
  most: number,
): void {
  if (entries.length > most) throw file.fault(field, `at most ${most}, are ${entries.length}`)
  const seen = new Set<string>()
  for (const { name } of entries) {
    if (seen.has(name)) throw file.fault(field, `${JSON.stringify(name)} stands twice`)
    seen.add(name)
  }
}

/** A scenario that cannot be: the message names the field and the rule. */
export class BadScenarioError extends DomainError<'BadScenario', object> {
  override readonly code = 'BadScenario'

  constructor(message: string) {
    super(message, {})
  }
}
