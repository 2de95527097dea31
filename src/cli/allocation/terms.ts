import { BadProgrammeError } from '#model'
import type { Faulty } from '#primitives'

/**
 * What a file calls an entry of one of the model's parts, and where that stands in it; row and
 * column as the model counts operators and tasks, −1 for none.
 */
export type PlaceOf = (part: string, row: number, column: number) => string

/**
 * Says of the file what the model says of its own parts, rows and columns.
 *
 * @throws what `faulty` makes, where the model refuses what is built.
 */
export function inFileTerms<T>(faulty: Faulty, placeOf: PlaceOf, build: () => T): T {
  try {
    return build()
  } catch (error) {
    if (!(error instanceof BadProgrammeError)) throw error
    const { part, row, column, rule, value } = error.details
    throw faulty(`${placeOf(part, row, column)} ${rule}, is ${value}`)
  }
}
