import type { Faulty } from '#primitives'

/** A cell and where it stands. */
export type Cell = { readonly text: string; readonly line: number; readonly column: number }

/**
 * The records of a CSV file (RFC 4180: commas, quotes, a header). Empty lines are left out.
 *
 * @throws what `faulty` makes, for a quote that never ends or a record of another length.
 */
export function parseTable(text: string, faulty: Faulty): readonly (readonly Cell[])[] {
  const rows = recordsOf(text, faulty).filter((row) => row.some((cell) => cell.text !== ''))
  const width = rows[0]?.length ?? 0
  const [odd] = rows.filter((row) => row.length !== width)
  if (odd)
    throw faulty(`line ${odd[0]?.line}: must have ${width} cells like the first, has ${odd.length}`)
  return rows
}

function recordsOf(text: string, faulty: Faulty): Cell[][] {
  const rows: Cell[][] = []
  let row: Cell[] = []
  let line = 1
  // Quoted: anything but a quote, or two quotes. Then what ends the cell.
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  while (pattern.lastIndex < text.length || row.length > 0) {
    const match = pattern.exec(text)
    if (!match) throw faulty(`line ${line}: a quote stands alone`)
    const [whole, quoted, plain = '', end] = match
    const content = quoted === undefined ? plain : quoted.replaceAll('""', '"')
    row.push({ text: content.trim(), line, column: row.length })
    line += whole.split('\n').length - 1
    if (end === ',') continue
    rows.push(row)
    row = []
  }
  return rows
}
