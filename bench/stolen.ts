import { existsSync, readFileSync } from 'node:fs'

/** Where Linux counts what its processors did, in ticks. */
const statFile = '/proc/stat'

/** Columns of its first line that make up all time, and the one that the machine's host took. */
const columns = { first: 1, stolen: 8 } as const

/**
 * Watches how much of the processors the host of a virtual machine gives to others: what is
 * measured meanwhile is not ours.
 *
 * @returns share of all processor time from the call to now, 0 to 1; 0 where nobody says.
 */
export function watchStolen(): () => number {
  const start = ticks()
  return () => {
    const end = ticks()
    const all = end.all - start.all
    return all === 0 ? 0 : (end.stolen - start.stolen) / all
  }
}

function ticks(): { readonly all: number; readonly stolen: number } {
  if (!existsSync(statFile)) return { all: 0, stolen: 0 }
  const [line = ''] = readFileSync(statFile, 'utf8').split('\n')
  const counts = line.split(/\s+/).map(Number)
  const all = counts.slice(columns.first, columns.stolen + 1).reduce((sum, one) => sum + one, 0)
  return { all, stolen: counts[columns.stolen] ?? 0 }
}
