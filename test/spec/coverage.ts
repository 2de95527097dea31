import type { Visit } from './replay.ts'

/** Steps of a kind of trace. */
export type Column = { readonly name: string; readonly visits: readonly Visit[] }

/**
 * How often the replayed traces ran each part of the paper's algorithm, and the rounds they got to,
 * as the table of `docs/spec/README.md`.
 */
export function coverageTable(columns: readonly Column[]): string {
  const row = (title: string, line: string, count: (visit: Visit) => boolean) =>
    `| ${[line, title, ...columns.map(({ visits }) => visits.filter(count).length)].join(' | ')} |`
  return [
    `| line | what ran | ${columns.map(({ name }) => name).join(' | ')} |`,
    `|---|---|${columns.map(() => '--:|').join('')}`,
    ...parts.map(([line, title]) => row(title, `L${line}`, ({ lines }) => lines.includes(line))),
    ...[0, 1, 2, 3].map((at) => row(`a step in round ${at}`, '', ({ round }) => round === at)),
    row('steps', '', () => true),
    '',
  ].join('\n')
}

/** One line of each part of the algorithm that runs as a whole. */
const parts: readonly (readonly [line: number, title: string])[] = [
  [10, 'the first height begins'],
  [53, 'a height begins after a decision'],
  [14, 'a round begins'],
  [16, 'its proposer has a valid value, and proposes it again'],
  [18, 'its proposer asks for a new value'],
  [21, 'the others wait for a proposal'],
  [24, 'a new value gets a prevote'],
  [26, 'a new value gets nil: it is invalid, or another is locked'],
  [30, 'a value with an earlier polka gets a prevote'],
  [32, 'a value with an earlier polka gets nil'],
  [35, 'prevotes of 2/3 start the timer'],
  [38, 'a polka locks a value and gets a precommit'],
  [42, 'a polka makes a value valid'],
  [45, 'a polka for nil gets a precommit for nil'],
  [48, 'precommits of 2/3 start the timer'],
  [51, 'a value is decided'],
  [56, 'a later round pulls along'],
  [59, 'no proposal came in time'],
  [63, 'no polka came in time'],
  [67, 'no decision came in time'],
]
