import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Names, ProgrammeParts } from '#model'
import { DomainError, type Faulty } from '#primitives'
import { readCsv } from './csv.ts'
import { readJson } from './json.ts'
import type { PlaceOf } from './terms.ts'

/** What an allocation file says. */
export type AllocationFile = {
  readonly operators: readonly string[]
  readonly tasks: readonly string[]
  readonly groups: readonly string[]
  readonly parts: ProgrammeParts
  readonly placeOf: PlaceOf
}

/** A file that cannot be read as an allocation programme: the message names place and rule. */
export class BadAllocationFileError extends DomainError<'BadAllocationFile', object> {
  override readonly code = 'BadAllocationFile'

  constructor(message: string) {
    super(message, {})
  }
}

/**
 * Reads a programme from a file: JSON where it ends in `.json`, else CSV.
 *
 * @throws BadAllocationFileError for the first thing that is wrong.
 */
export function loadAllocationFile(path: string, cwd: string): AllocationFile {
  const text = readText(path, cwd)
  const faulty = faultyIn(path)
  return path.toLowerCase().endsWith('.json') ? readJson(text, faulty) : readCsv(text, faulty)
}

/** Makes the error of a file. */
export const faultyIn =
  (path: string): Faulty =>
  (problem) =>
    new BadAllocationFileError(`${path}: ${problem}`)

function readText(path: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8').replace(/^\uFEFF/, '')
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    throw new BadAllocationFileError(`cannot read ${path}: ${code}`)
  }
}

/** The file's names for what the model counts. */
export const namesOf = ({ operators, tasks, groups }: AllocationFile): Names => ({
  operator: (at) => operators[at] ?? '',
  task: (at) => tasks[at] ?? '',
  group: (at) => groups[at] ?? '',
})
