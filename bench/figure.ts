/** One measured figure, as `npm run bench -- NAME --json` prints it. */
export type Figure = {
  readonly bench: string
  readonly metric: string
  readonly ours: number
  /** null: no peer did it, and the notes say why. */
  readonly peer: number | null
  /** How many times better than the peer we are; above 1 = ahead. */
  readonly ratio: number | null
  readonly unit: string
  /** Operators. */
  readonly n: number
}

/** What a benchmark gives: its figures, and the conditions that a reader must know. */
export type Report = { readonly figures: readonly Figure[]; readonly notes: readonly string[] }

/** A figure of which less is better. */
export const cost = (
  bench: string,
  metric: string,
  { ours, peer, unit, n }: Pick<Figure, 'ours' | 'peer' | 'unit' | 'n'>,
): Figure => ({
  bench,
  metric,
  ours,
  peer,
  ratio: peer === null ? null : round(peer / ours),
  unit,
  n,
})

/** A figure of which more is better. */
export const rate = (
  bench: string,
  metric: string,
  { ours, peer, unit, n }: Pick<Figure, 'ours' | 'peer' | 'unit' | 'n'>,
): Figure => ({
  ...{ bench, metric, ours, peer, unit, n },
  ratio: peer === null ? null : round(ours / peer),
})

const round = (value: number) => Math.round(value * 1000) / 1000

/** The report for people: a table, then the conditions. */
export function formatTable({ figures, notes }: Report): string {
  const rows = [
    ['metric', 'n', 'ours', 'peer', 'ratio', 'unit'],
    ...figures.map(({ metric, n, ours, peer, ratio, unit }) =>
      [metric, n, ours, peer ?? '–', ratio ?? '–', unit].map(String),
    ),
  ]
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, '', ...notes, ''].join('\n')
}
