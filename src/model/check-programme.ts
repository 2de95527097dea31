import { DomainError } from '#primitives'
import type { Programme, ProgrammeParts, Resource } from './programme.ts'

/** Where a programme breaks which rule. Row = operator, column = task; −1 where there is none. */
export type Fault = {
  readonly part: string
  readonly row: number
  readonly column: number
  readonly rule: string
  readonly value: number
}

/** A programme that cannot be: the message names part, row, column and rule. */
export class BadProgrammeError extends DomainError<'BadProgramme', Fault> {
  override readonly code = 'BadProgramme'
}

/**
 * Checks every number and shape once, so that the solver need not.
 *
 * @throws BadProgrammeError for the first fault.
 */
export function createProgramme(parts: ProgrammeParts): Programme {
  const { operators: n, tasks: m } = parts
  checkCount('operators', n)
  checkCount('tasks', m)
  if (!Number.isSafeInteger(n * m)) badProgramme('operators', n, 'operators × tasks is too large')
  checkMatrix(parts, 'utility', parts.utility, finite, [n * m])
  checkMatrix(parts, 'congestion', parts.congestion, finiteNotNegative, [n, n * m])
  checkMatrix(parts, 'cap', parts.cap, notNegative, [m, n * m])
  checkVector('demand', parts.demand, m, 'column')
  if (parts.loadCongestion) checkVector('load congestion', parts.loadCongestion, n, 'row')
  if (parts.shortfallPrice) checkVector('shortfall price', parts.shortfallPrice, m, 'column')
  if (parts.resources.length === 0) badProgramme('resources', 0, 'must be at least one')
  for (const resource of parts.resources) checkResource(parts, resource)
  checkSecurity(parts)
  checkGroups(parts)
  checkSums(parts)
  return parts as Programme
}

type Test = { readonly rule: string; readonly holds: (value: number) => boolean }

const finite: Test = { rule: 'must be finite', holds: (v) => v - v === 0 }
const finiteNotNegative: Test = {
  rule: 'must be finite and not negative',
  holds: (v) => v >= 0 && v < Infinity,
}
const notNegative: Test = { rule: 'must not be negative or NaN', holds: (v) => v >= 0 }

function checkCount(part: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1) badProgramme(part, count, 'must be at least one')
}

function checkLength(part: string, length: number, allowed: readonly number[]): void {
  const lengths = allowed.join(' or ')
  if (!allowed.includes(length)) badProgramme(part, length, `must have ${lengths} entries`)
}

function checkVector(
  part: string,
  values: Float64Array,
  length: number,
  along: 'row' | 'column',
): void {
  checkLength(part, values.length, [length])
  const at = firstFault(values, finiteNotNegative)
  if (at < 0) return
  const place = along === 'row' ? { row: at } : { column: at }
  badProgramme(part, values[at] as number, finiteNotNegative.rule, place)
}

function checkMatrix(
  { operators, tasks }: ProgrammeParts,
  part: string,
  values: Float64Array,
  test: Test,
  lengths: readonly number[],
): void {
  checkLength(part, values.length, lengths)
  const at = firstFault(values, test)
  if (at < 0) return
  const value = values[at] as number
  if (values.length === operators * tasks)
    badProgramme(part, value, test.rule, { row: Math.floor(at / tasks), column: at % tasks })
  badProgramme(part, value, test.rule, lengths[0] === operators ? { row: at } : { column: at })
}

function firstFault(values: Float64Array, { holds }: Test): number {
  for (let e = 0; e < values.length; e++) if (!holds(values[e] as number)) return e
  return -1
}

function checkResource(parts: ProgrammeParts, { name, capacity, use }: Resource): void {
  const { operators: n, tasks: m } = parts
  checkVector(`capacity of ${name}`, capacity, n, 'row')
  if (use) checkMatrix(parts, `use of ${name}`, use, finiteNotNegative, [m, n * m])
}

function checkSecurity({ security, operators, tasks }: ProgrammeParts): void {
  if (!security) return
  checkVector('stake', security.stake, operators, 'row')
  checkVector('security floor', security.floor, tasks, 'column')
}

function checkGroups({ groups, operators, tasks }: ProgrammeParts): void {
  if (!groups) return
  const { count, of, share } = groups
  checkCount('groups', count)
  checkLength('group of operator', of.length, [operators])
  of.forEach((group, row) => {
    if (group < -1 || group >= count)
      badProgramme('group of operator', group, 'unknown group', { row })
  })
  checkVector('group share', share, tasks, 'column')
  share.forEach((value, column) => {
    if (value > 1) badProgramme('group share', value, 'must be at most one', { column })
  })
}

/** Sums that are not finite would turn every later check into NaN. */
function checkSums({ demand, resources }: ProgrammeParts): void {
  checkSum('demand', demand, 'column')
  for (const { name, capacity } of resources) checkSum(`capacity of ${name}`, capacity, 'row')
}

/** Names the entry with which the sum overflows. */
function checkSum(part: string, values: Float64Array, along: 'row' | 'column'): void {
  let sum = 0
  values.forEach((value, at) => {
    sum += value
    if (!finite.holds(sum)) badProgramme(part, sum, 'must have a finite sum', { [along]: at })
  })
}

/** Throws the error that names what is wrong where. */
export function badProgramme(
  part: string,
  value: number,
  rule: string,
  place: { readonly row?: number; readonly column?: number } = {},
): never {
  const { row = -1, column = -1 } = place
  const where = [
    ...(row < 0 ? [] : [`operator ${row}`]),
    ...(column < 0 ? [] : [`task ${column}`]),
  ].join(', ')
  const message = `${part}${where && ` (${where})`}: ${rule}, is ${value}`
  throw new BadProgrammeError(message, { part, row, column, rule, value })
}
