/** Blocks of one kind: the highest that was seen, and how often one was not what it had been. */
export type Continuity = { readonly height: number; readonly broken: number }

/** Problems that are told in words; all are counted. */
export const maxTold = 50

/** How long a round serves at most before its fault. */
export const servingMs = 3_000

/** What ended a run before its time, as a problem. */
export const told = (error: unknown): readonly string[] => [String(error)]

/** A count for each purpose. */
export const byPurpose = <Purpose extends string>(
  purposes: readonly Purpose[],
  count: (purpose: Purpose) => number,
): Readonly<Record<Purpose, number>> =>
  Object.fromEntries(purposes.map((purpose) => [purpose, count(purpose)])) as Record<
    Purpose,
    number
  >
