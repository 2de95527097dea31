import type { ProgrammeParts, Resource } from '#model'
import type { Faulty } from '#primitives'
import type { AllocationFile } from './file.ts'
import { type Cell, parseTable } from './table.ts'

/** Columns that say something of an operator; any other column is a task. */
const operatorColumns = ['capacity', 'congestion', 'load congestion', 'stake', 'group'] as const
/** Rows that say something of the tasks; any other row is an operator. */
const taskRows = ['demand', 'cap', 'shortfall price', 'security floor', 'group share'] as const

const capacityOf = /^capacity(?: of (.+))?$/
const useOf = /^use(?: of (.+))?$/

/**
 * Reads a table: the first column names operators, the other columns are what is known of them and
 * then the tasks, with what a unit earns in each cell; empty where the operator cannot. Rows with
 * reserved names say what is known of the tasks.
 *
 * @throws what `faulty` makes, for the first cell that cannot be.
 */
export function readCsv(text: string, faulty: Faulty): AllocationFile {
  const [header, ...rows] = parseTable(text, faulty)
  if (!header) throw faulty('is empty; the first line must name columns')
  const sheet = createSheet(header, rows, faulty)
  const { operators, tasks } = sheet
  if (tasks.length === 0) throw faulty('line 1: no column is a task')
  if (operators.length === 0) throw faulty('no row is an operator')
  checkNames(sheet.header.slice(1), faulty)
  checkNames(
    rows.flatMap((row) => row.slice(0, 1)),
    faulty,
  )
  const groups = groupsOf(sheet)
  return {
    operators: operators.map(nameOf),
    tasks: tasks.map((cell) => cell.text),
    groups: groups.names,
    parts: partsOf(sheet, groups),
    placeOf: (part, row, column) => subjectOf(sheet, part, row, column),
  }
}

type Row = readonly Cell[]

type Sheet = {
  readonly header: Row
  readonly rows: readonly Row[]
  readonly operators: readonly Row[]
  /** Header cells of the tasks. */
  readonly tasks: readonly Cell[]
  /** The row of this name, if there is one. */
  readonly taskRow: (name: string) => Row | undefined
  /** Header cell of this name, if there is one. */
  readonly operatorColumn: (name: string) => Cell | undefined
  readonly faulty: Faulty
}

function createSheet(header: Row, rows: readonly Row[], faulty: Faulty): Sheet {
  const isTaskRow = (row: Row) => isOneOf(taskRows, nameOf(row)) || useOf.test(nameOf(row))
  const isOperatorColumn = ({ text }: Cell) =>
    isOneOf(operatorColumns, text) || capacityOf.test(text)
  const known = header.slice(1)
  return {
    header,
    rows,
    operators: rows.filter((row) => !isTaskRow(row)),
    tasks: known.filter((cell) => !isOperatorColumn(cell)),
    taskRow: (name) => rows.find((row) => nameOf(row) === name),
    operatorColumn: (name) => known.find((cell) => cell.text === name),
    faulty,
  }
}

function checkNames(cells: readonly Cell[], faulty: Faulty): void {
  const seen = new Set<string>()
  for (const { text, line, column } of cells) {
    if (text === '') throw faulty(`line ${line}, cell ${column + 1}: must be a name, is empty`)
    if (seen.has(text)) throw faulty(`line ${line}: the name ${JSON.stringify(text)} stands twice`)
    seen.add(text)
  }
}

const isOneOf = (names: readonly string[], name: string): boolean => names.includes(name)

const nameOf = (row: Row): string => row[0]?.text ?? ''

function partsOf(sheet: Sheet, groups: ReadGroups): ProgrammeParts {
  const { operators, tasks, faulty } = sheet
  const demand = taskValues(sheet, 'demand')
  if (!demand) throw faulty('no row is named "demand"')
  const shortfallPrice = taskValues(sheet, 'shortfall price')
  const loadCongestion = operatorValues(sheet, 'load congestion')
  const pair = readPairs(sheet, taskCaps(sheet))
  return {
    operators: operators.length,
    tasks: tasks.length,
    ...pair,
    congestion: operatorValues(sheet, 'congestion') ?? new Float64Array(operators.length),
    ...(loadCongestion && { loadCongestion }),
    resources: resourcesOf(sheet),
    demand,
    ...(shortfallPrice && { shortfallPrice }),
    ...securityOf(sheet),
    ...groups.part,
  }
}

/** Utilities, and caps of zero where there is none. */
function readPairs(sheet: Sheet, caps: Float64Array): Pick<ProgrammeParts, 'utility' | 'cap'> {
  const { operators, tasks } = sheet
  const utility = new Float64Array(operators.length * tasks.length)
  const cap = new Float64Array(utility.length)
  operators.forEach((row, i) => {
    tasks.forEach(({ column }, t) => {
      const value = optionalNumber(sheet, row, column)
      utility[i * tasks.length + t] = value ?? 0
      cap[i * tasks.length + t] = value === undefined ? 0 : (caps[t] as number)
    })
  })
  return { utility, cap }
}

/** Caps of the tasks; empty = none. */
function taskCaps(sheet: Sheet): Float64Array {
  const row = sheet.taskRow('cap')
  return Float64Array.from(sheet.tasks, ({ column }) =>
    row ? (optionalNumber(sheet, row, column) ?? Infinity) : Infinity,
  )
}

function resourcesOf(sheet: Sheet): Resource[] {
  const { header, rows, faulty } = sheet
  for (const row of rows) {
    const [match, resource] = useOf.exec(nameOf(row)) ?? []
    const needed = resource === undefined ? 'capacity' : `capacity of ${resource}`
    if (match && !sheet.operatorColumn(needed))
      throw faulty(`line ${row[0]?.line}: "${match}" needs a column "${needed}"`)
  }
  const resources = header.flatMap(({ text }) => {
    const match = capacityOf.exec(text)
    if (!match) return []
    const [, name] = match
    const use = taskValues(sheet, name === undefined ? 'use' : `use of ${name}`)
    const capacity = operatorValues(sheet, text) as Float64Array
    return [{ name: name ?? 'capacity', capacity, ...(use && { use }) }]
  })
  if (resources.length === 0) throw faulty('line 1: no column is named "capacity"')
  return resources
}

function securityOf(sheet: Sheet): Pick<ProgrammeParts, 'security'> {
  const stake = operatorValues(sheet, 'stake')
  const floor = taskValues(sheet, 'security floor')
  if (stake && floor) return { security: { stake, floor } }
  if (floor) throw sheet.faulty('line 1: a "security floor" needs a column "stake"')
  return {}
}

type ReadGroups = {
  readonly names: readonly string[]
  readonly part: Pick<ProgrammeParts, 'groups'>
}

function groupsOf(sheet: Sheet): ReadGroups {
  const column = sheet.operatorColumn('group')?.column
  const share = taskValues(sheet, 'group share')
  if (share && column === undefined)
    throw sheet.faulty('line 1: a "group share" needs a column "group"')
  if (!share || column === undefined) return { names: [], part: {} }
  const each = sheet.operators.map((row) => row[column]?.text ?? '')
  const names = [...new Set(each.filter((name) => name !== ''))]
  if (names.length === 0) return { names, part: {} }
  const of = Int32Array.from(each, (name) => names.indexOf(name))
  return { names, part: { groups: { count: names.length, of, share } } }
}

/**
 * The cell that a part of the model was read from: in the part's own row or column where it has
 * one, else what a pair earns.
 */
function subjectOf(sheet: Sheet, part: string, row: number, column: number): string {
  const name = headings.get(part) ?? part
  const line = sheet.taskRow(name) ?? sheet.operators[row]
  const cell = sheet.operatorColumn(name) ?? sheet.tasks[column]
  if (line && cell) return `${placeOf(sheet, line, cell.column)}:`
  return `${line ? `line ${line[0]?.line} (${JSON.stringify(nameOf(line))}): ` : ''}${part}`
}

/** What a table calls the model's parts, where that differs. */
const headings: ReadonlyMap<string, string> = new Map([
  ['capacity of capacity', 'capacity'],
  ['use of capacity', 'use'],
])

const taskValues = (sheet: Sheet, name: string): Float64Array | undefined => {
  const row = sheet.taskRow(name)
  return row && Float64Array.from(sheet.tasks, ({ column }) => numberAt(sheet, row, column))
}

const operatorValues = (sheet: Sheet, name: string): Float64Array | undefined => {
  const cell = sheet.operatorColumn(name)
  return cell && Float64Array.from(sheet.operators, (row) => numberAt(sheet, row, cell.column))
}

function numberAt(sheet: Sheet, row: Row, column: number): number {
  const value = optionalNumber(sheet, row, column)
  if (value === undefined) throw sheet.faulty(`${placeOf(sheet, row, column)}: must not be empty`)
  return value
}

function optionalNumber(sheet: Sheet, row: Row, column: number): number | undefined {
  const text = row[column]?.text ?? ''
  if (text === '') return undefined
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (Number.isFinite(value)) return value
  const place = placeOf(sheet, row, column)
  throw sheet.faulty(`${place}: must be a finite number, is ${JSON.stringify(text)}`)
}

const placeOf = ({ header }: Sheet, row: Row, column: number): string =>
  `line ${row[0]?.line} ("${nameOf(row)}"), column ${JSON.stringify(header[column]?.text)}`
