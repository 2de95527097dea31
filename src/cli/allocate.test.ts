import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runCli } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'nodeop allocate '))
after(() => rmSync(folder, { recursive: true }))

/** Writes a file and allocates by it. */
async function allocate(name: string, content: string, ...options: string[]) {
  writeFileSync(join(folder, name), content)
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(['allocate', name, ...options], {
    io: { write: (line) => out.push(line), error: (line) => err.push(line) },
    env: {},
    cwd: folder,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** One line that says what is wrong where, and exit code 1. */
async function refused(name: string, content: string, problem: string): Promise<void> {
  const { code, out, err } = await allocate(name, content)
  assert.deepEqual({ code, out, err }, { code: 1, out: '', err: `nodeop: ${name}: ${problem}` })
}

const table = `operator,capacity,congestion,stake,group,eth/usd,btc/usd,blocks
demand,,,,,10,8,20
cap,,,,,6,,
shortfall price,,,,,2,2,3
security floor,,,,,40,0,0
group share,,,,,0.5,1,1
ada,14,0.02,100,acme,0.9,0.8,0.7
bob,12,0.03,60,acme,0.85,0.9,
eve,9,0.05,10,,0.8,0.7,0.9
`

/** The same, as JSON. */
const json = {
  tasks: [
    { name: 'eth/usd', demand: 10, cap: 6, shortfallPrice: 2, securityFloor: 40, groupShare: 0.5 },
    { name: 'btc/usd', demand: 8, shortfallPrice: 2 },
    { name: 'blocks', demand: 20, shortfallPrice: 3 },
  ],
  operators: [
    { name: 'ada', capacity: 14, congestion: 0.02, stake: 100, group: 'acme' },
    { name: 'bob', capacity: 12, congestion: 0.03, stake: 60, group: 'acme' },
    { name: 'eve', capacity: 9, congestion: 0.05, stake: 10 },
  ],
  pairs: [
    { operator: 'ada', task: 'eth/usd', utility: 0.9 },
    { operator: 'ada', task: 'btc/usd', utility: 0.8 },
    { operator: 'ada', task: 'blocks', utility: 0.7 },
    { operator: 'bob', task: 'eth/usd', utility: 0.85 },
    { operator: 'bob', task: 'btc/usd', utility: 0.9 },
    { operator: 'eve', task: 'eth/usd', utility: 0.8 },
    { operator: 'eve', task: 'btc/usd', utility: 0.7 },
    { operator: 'eve', task: 'blocks', utility: 0.9 },
  ],
}

type Changes = Partial<Record<keyof typeof json | 'scores', unknown>>

const variant = (changes: Changes): string => JSON.stringify({ ...json, ...changes })

test('allocate: tables of who does what, and what binds in words', async () => {
  const { code, out, err } = await allocate('a.csv', table)
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^optimal: earns 18\.275, and no allocation more than 18\.275 \(gap /)
  assert.match(out, /^ada +14 +14 +2\.59 +1 +0 +13$/m)
  assert.match(out, /^eth\/usd +10 +7 +3 +-2$/m)
  assert.match(out, /eve is full: one more unit of its capacity would add 2\.7\./)
  assert.match(out, /eth\/usd is not fully served: one unit less to do would save 2\./)
  assert.match(out, /acme may do no more of eth\/usd: one more unit would add 0\.29\./)
})

test('allocate: a cell left empty is work that the operator cannot do', async () => {
  const { out } = await allocate('a.csv', table, '--json')
  const [, bob] = JSON.parse(out).operators
  assert.deepEqual(Object.keys(bob.work), ['eth/usd', 'btc/usd'])
})

test('allocate: CSV and JSON that say the same give the same answer', async () => {
  const [csv, other] = [
    await allocate('a.csv', table, '--json'),
    await allocate('a.json', variant({}), '--json'),
  ]
  assert.deepEqual(JSON.parse(other.out), JSON.parse(csv.out))
})

test('allocate: quoted names, as spreadsheets write them', async () => {
  const windows = table.replace('ada', '"ada, the ""first"""').replaceAll('\n', '\r\n')
  const { code, out } = await allocate('w.csv', `\uFEFF${windows}`, '--json')
  assert.equal(code, 0)
  assert.equal(JSON.parse(out).operators[0].name, 'ada, the "first"')
})

test('allocate: --unit rounds to whole multiples within every limit', async () => {
  const { code, out } = await allocate(
    'a.csv',
    table.replaceAll('14,', '13.7,'),
    '--json',
    '--unit',
    '2',
  )
  assert.equal(code, 0)
  const { operators, tasks, violation, isRounded } = JSON.parse(out)
  assert.equal(isRounded, true)
  assert(violation < 1e-12)
  for (const { work, limits } of operators) {
    for (const units of Object.values<number>(work)) assert.equal(units % 2, 0)
    assert(limits[0].used <= limits[0].capacity)
  }
  for (const { demand, served, missed } of tasks) assert.equal(served + missed, demand)
})

test('allocate: --unit never serves more than demand that is no multiple of it', async () => {
  const { out } = await allocate('a.csv', table, '--json', '--unit', '3')
  const { tasks, violation } = JSON.parse(out)
  assert.equal(violation, 0)
  for (const { demand, served, missed } of tasks) {
    assert.equal(served % 3, 0)
    assert.equal(served + missed, demand)
  }
})

test('allocate: demand that cannot be met names tasks and operators', async () => {
  const rows = table.split('\n').filter((row) => !/^(shortfall|security|group)/.test(row))
  const { code, out } = await allocate('b.csv', rows.join('\n'))
  assert.equal(code, 1)
  assert.match(out, /^infeasible: no allocation meets all demand: eth\/usd, btc\/usd, blocks/)
  assert.match(out, /ask for 3 more than the limits of ada, bob, eve/)
})

test('allocate: several resources, by columns and rows of their names', async () => {
  const { out } = await allocate(
    'c.csv',
    `operator,capacity,capacity of memory,x,y
demand,,,4,4
use of memory,,,1,3
a,10,10,2,2
b,10,10,1,1
`,
  )
  assert.match(out, /^operator +capacity +used .* memory +used/m)
  assert.match(out, /a is full: one more unit of its memory would add 0\.3333\./)
})

test('allocate: scores, trust and cost become what pairs earn', async () => {
  const pair = (operator: string, performance: number) => ({
    ...{ operator, task: 'x', consensus: 1, performance, cost: 0.1 },
  })
  const file = {
    tasks: [{ name: 'x', demand: 4, value: 2, harm: 1 }],
    operators: [
      { name: 'a', capacity: 9, congestion: 0.1, trust: 0.5 },
      { name: 'b', capacity: 9, congestion: 0.1, trust: 0.9 },
    ],
    pairs: [pair('a', 1), pair('b', 0.5)],
    scores: { corruption: { view: 'network', worstChance: 0.2 } },
  }
  // a: 2·0.5·1 − 0.1 − 0.2·0.5 = 0.8; b: 2·0.9·0.75 − 0.1 − 0.2·0.1 = 1.23, more than q·d apart.
  const { out } = await allocate('d.json', JSON.stringify(file), '--json')
  const answer = JSON.parse(out)
  assert.deepEqual(answer.operators[0].work, {})
  assert(Math.abs(answer.objective - (1.23 * 4 - 0.05 * 16)) < 1e-9)
})

test('allocate: what is wrong in a table is one line with line, column and rule', async () => {
  const changed = (from: string, to: string) => table.replace(from, to)
  const csv = (content: string, problem: string) => refused('x.csv', content, problem)
  await csv('', 'is empty; the first line must name columns')
  await csv('operator,capacity,x\ndemand,,1\n', 'no row is an operator')
  await csv('operator,capacity\na,1\n', 'line 1: no column is a task')
  await csv('operator,capacity,x\na,1,1\n', 'no row is named "demand"')
  await csv('operator,x\ndemand,1\na,1\n', 'line 1: no column is named "capacity"')
  await csv(
    changed('0.85', 'NaN'),
    'line 8 ("bob"), column "eth/usd": must be a finite number, is "NaN"',
  )
  await csv(
    changed('14,', '1e999,'),
    'line 7 ("ada"), column "capacity": must be a finite number, is "1e999"',
  )
  await csv(
    changed('14,', '-14,'),
    'line 7 ("ada"), column "capacity": must be finite and not negative, is -14',
  )
  await csv(
    changed('demand,,,,,10', 'demand,,,,,'),
    'line 2 ("demand"), column "eth/usd": must not be empty',
  )
  await csv(
    changed('group share,,,,,0.5', 'group share,,,,,1.5'),
    'line 6 ("group share"), column "eth/usd": must be at most one, is 1.5',
  )
  await csv(changed('bob,', 'ada,'), 'line 8: the name "ada" stands twice')
  await csv(changed('0.85,0.9,', '0.85,0.9'), 'line 8: must have 8 cells like the first, has 7')
  await csv(
    'operator,capacity,x\ndemand,,1\nsecurity floor,,3\na,1,1\n',
    'line 1: a "security floor" needs a column "stake"',
  )
  await csv(
    changed('cap,', 'use of disk,'),
    'line 3: "use of disk" needs a column "capacity of disk"',
  )
  await csv(changed('ada', '"ada'), 'line 7: a quote stands alone')
})

test('allocate: what is wrong in JSON is one line with the entry and the rule', async () => {
  const bad = (changes: Changes, problem: string) => refused('x.json', variant(changes), problem)
  await refused('x.json', '[]', 'the file: must be an object')
  await bad({ operators: [] }, 'operators: must be a list with at least one entry')
  await bad(
    { pairs: [{ operator: 'ada', task: 'gold' }] },
    'pairs[0].task: there is no task "gold"',
  )
  await bad(
    { pairs: [{ operator: 'ada', task: 'blocks' }] },
    'pairs[0].utility: must be a finite number, is missing',
  )
  await bad(
    { operators: [{ name: 'ada', capacity: -1, stake: 1, group: 'g' }], pairs: [json.pairs[0]] },
    'operators[0] ("ada"): capacity of capacity must be finite and not negative, is -1',
  )
  const [pair] = json.pairs
  await bad({ pairs: [pair, pair] }, 'pairs[1].task: this pair stands twice')
  await bad({ scores: {} }, 'scores: with them, pairs must not have a "utility" of their own')
  const [first] = json.tasks
  await bad(
    { tasks: [{ ...first, demnd: 1 }] },
    'tasks[0].demnd: is not known; allowed: name, ' +
      'demand, cap, shortfallPrice, securityFloor, groupShare, use, value, harm, detection',
  )
  const { code, err } = await allocate('x.json', '{')
  assert.equal(code, 1)
  assert.match(err, /^nodeop: x\.json: is no JSON: /)
})

test('allocate: a file that is not there, and a unit that is none', async () => {
  const { code, err } = await allocate('a.csv', table, '--unit', '-1')
  assert.deepEqual(
    [code, err],
    [2, 'nodeop: --unit "-1" is not allowed; allowed: a positive number'],
  )
  const missing: string[] = []
  const io = { write: () => {}, error: (line: string) => void missing.push(line) }
  assert.equal(await runCli(['allocate', 'none.csv'], { io, env: {}, cwd: folder }), 1)
  assert.deepEqual(missing, ['nodeop: cannot read none.csv: ENOENT'])
})

test('allocate: the guide shows what the program says', async () => {
  const guide = readFileSync(new URL('../../docs/guides/allocation.md', import.meta.url), 'utf8')
  const blocks = [...guide.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, kind, text]) => ({
    kind,
    text: text ?? '',
  }))
  const blockOf = (kind: string) => blocks.find((block) => block.kind === kind)?.text ?? ''
  const shown = blocks.find(({ text }) => text.startsWith('optimal'))?.text
  const rounding = / \(gap .*/
  const { out } = await allocate('network.csv', blockOf('csv'))
  assert.equal(`${out.replace(rounding, '')}\n`, shown?.replace(rounding, ''))
  assert.equal((await allocate('network.json', blockOf('json'))).code, 0)
})

test('allocate: a number too large to reckon with is named by line and column', async () => {
  const wide = table
    .replace('operator,capacity,', 'operator,capacity,load congestion,')
    .replace(/^(ada|bob|eve),(\d+),/gm, '$1,$2,0.1,')
    .replace(/^(demand|cap|shortfall price|security floor|group share),/gm, '$1,,')
    .concat('use,,,,,,1,1,1\n')
  const huge = (from: string, to: string, line: string, column: string) =>
    refused('huge.csv', replaced(wide, from, to), `line ${line}, column "${column}": ${tooLarge}`)
  const tooLarge = 'must be at most 1e15 in size, is 2000000000000000'
  await huge('acme,0.9,', 'acme,2e15,', '7 ("ada")', 'eth/usd')
  await huge('ada,14,', 'ada,2e15,', '7 ("ada")', 'capacity')
  await huge('bob,12,0.1,', 'bob,12,2e15,', '8 ("bob")', 'load congestion')
  await huge('0.1,0.05,', '0.1,2e15,', '9 ("eve")', 'congestion')
  await huge(',60,acme', ',2e15,acme', '8 ("bob")', 'stake')
  await huge('demand,,,,,,10,', 'demand,,,,,,2e15,', '2 ("demand")', 'eth/usd')
  await huge('cap,,,,,,6,', 'cap,,,,,,2e15,', '3 ("cap")', 'eth/usd')
  await huge(',2,2,3', ',2,2e15,3', '4 ("shortfall price")', 'btc/usd')
  await huge(',40,0,0', ',40,0,2e15', '5 ("security floor")', 'blocks')
  await huge('use,,,,,,1,', 'use,,,,,,2e15,', '10 ("use")', 'eth/usd')
})

test('allocate: what a pair is too large with in JSON is named by operator and task', async () => {
  const [first, pair, ...others] = json.pairs
  const place = 'operators[0] ("ada"), tasks[1] ("btc/usd")'
  for (const [field, part] of [
    ['cap', 'cap'],
    ['congestion', 'congestion'],
  ])
    await refused(
      'huge.json',
      variant({ pairs: [first, { ...pair, [field as string]: 2e15 }, ...others] }),
      `${place}: ${part} must be at most 1e15 in size, is 2000000000000000`,
    )
})

test('allocate: numbers that are negative, and sums beyond every number, are named too', async () => {
  const bad = (from: string, to: string, problem: string) =>
    refused('x.csv', replaced(table, from, to), problem)
  const rule = 'must be finite and not negative, is -1'
  await bad('14,0.02', '14,-1', `line 7 ("ada"), column "congestion": ${rule}`)
  await bad(',60,acme', ',-1,acme', `line 8 ("bob"), column "stake": ${rule}`)
  const first = 'column "eth/usd"'
  await bad('demand,,,,,10', 'demand,,,,,-1', `line 2 ("demand"), ${first}: ${rule}`)
  await bad('price,,,,,2', 'price,,,,,-1', `line 4 ("shortfall price"), ${first}: ${rule}`)
  await bad('floor,,,,,40', 'floor,,,,,-1', `line 5 ("security floor"), ${first}: ${rule}`)
  await bad('share,,,,,0.5', 'share,,,,,-1', `line 6 ("group share"), ${first}: ${rule}`)
  const cap = `line 3 ("cap"), ${first}: must not be negative or NaN, is -1`
  await bad('cap,,,,,6', 'cap,,,,,-1', cap)
  const sum = 'line 2 ("demand"), column "btc/usd": must have a finite sum, is Infinity'
  await bad('demand,,,,,10,8', 'demand,,,,,1e308,1e308', sum)
})

test('allocate: scores that cannot be are named by file, operator and task', async () => {
  const pair = { operator: 'a', task: 'x', consensus: 1, performance: 1, cost: 0 }
  const file = (trust: number, consensus: number, weight: number, harm: number) =>
    JSON.stringify({
      tasks: [{ name: 'x', demand: 4, value: 2, harm }],
      operators: [{ name: 'a', capacity: 9, trust }],
      pairs: [{ ...pair, consensus }],
      scores: { consensusWeight: weight, corruption: { view: 'network', worstChance: 0.2 } },
    })
  const bad = (content: string, problem: string) => refused('s.json', content, problem)
  await bad(file(1.5, 1, 0.5, 1), 'operators[0] ("a"): trust must be from 0 to 1, is 1.5')
  const both = 'operators[0] ("a"), tasks[0] ("x")'
  await bad(file(1, 7, 0.5, 1), `${both}: consensus score must be from 0 to 1, is 7`)
  await bad(file(1, 1, 3, 1), 'consensus weight must be from 0 to 1, is 3')
  await bad(file(1, 1, 0.5, -1), 'tasks[0] ("x"): harm must be finite and not negative, is -1')
})

test('allocate: what a whole unit cannot count exactly is named by line and column', async () => {
  const problem = (line: string, column: string) =>
    `nodeop: x.csv: line ${line}, column "${column}": is beyond exact integers in these units, is `
  const told = async (from: string, to: string) =>
    (await allocate('x.csv', replaced(table, from, to), '--unit', '1e-6')).err
  const demand = await told('demand,,,,,10', 'demand,,,,,1e12')
  assert(demand.startsWith(problem('2 ("demand")', 'eth/usd')), demand)
  const capacity = await told('ada,14', 'ada,1e12')
  assert(capacity.startsWith(problem('7 ("ada")', 'capacity')), capacity)
})

/** A text with one place changed, which must be there. */
function replaced(text: string, from: string, to: string): string {
  assert(text.includes(from), from)
  return text.replace(from, to)
}
