import { resolve } from 'node:path'
import { type LogLevel, logLevels } from '#node'
import { DomainError } from '#primitives'
import type { OperatorId } from '#records'
import { minKeptBlocks } from '#services/sequencer'
import { type ChaosKind, chaosKinds, outerChaosKinds } from './chaos.ts'

/** What a devnet is asked to be. */
export type DevnetOptions = {
  readonly operators: number
  readonly engine: DevnetEngine
  /** First gateway's port, the others follow; 0: any free ones. */
  readonly port: number
  /** Folder that keeps everything between runs, absolute; undefined: a temporary one. */
  readonly data: string | undefined
  /** L2 transactions offered per second, with one price task a second; 0: none. */
  readonly load: number
  readonly chaos: readonly ChaosKind[]
  /** Who is slow under `slow`. */
  readonly slowOperator: OperatorId
  /** One outage of so long under `l1-down`; undefined: short ones over and over. */
  readonly l1DownMs: number | undefined
  /** How long to run before it drains, sums up and ends; undefined: until interrupted. */
  readonly forMs: number | undefined
  /** Blocks, L2 blocks and leaves that each operator keeps at least; undefined: its default. */
  readonly keptBlocks: number | undefined
  /** Whether sign guards may begin with nothing signed in folders that were in use. */
  readonly init: boolean
  /** Whether the summary is one JSON line. */
  readonly json: boolean
  /** Whether operators of this process share computations by the digest of their input. */
  readonly share: boolean
  /** Seed of what the load and the chaos do. */
  readonly seed: number
  readonly logLevel: LogLevel
}

/** Engines that a devnet can run on. */
export const devnetEngines = ['embedded', 'cometbft'] as const
export type DevnetEngine = (typeof devnetEngines)[number]

/** Options as a command line gives them: texts, and flags that are there or not. */
export type RawDevnetOptions = {
  readonly [Name in TextOption]?: string | undefined
} & { readonly [Name in 'init' | 'json' | 'share']?: boolean | undefined }

type TextOption =
  | 'operators'
  | 'engine'
  | 'port'
  | 'data'
  | 'load'
  | 'chaos'
  | 'for'
  | 'keepBlocks'
  | 'seed'
  | 'logLevel'

/** Most operators in one process, and most transactions a second that the load may offer. */
const maxDevnetOperators = 64
const maxDevnetLoad = 10_000

/** Fewer than this cannot lose one and go on. */
const operatorsForChaos = 4
const dayMs = 86_400_000

/**
 * The options of a command line, with defaults for what is not given.
 *
 * @param cwd - folder that a relative `data` starts from.
 * @throws BadOptionError for the first value that is not allowed: names option, value and what is.
 */
export function parseDevnetOptions(raw: RawDevnetOptions, cwd: string): DevnetOptions {
  const operators = integer('operators', raw.operators, 4, 1, maxDevnetOperators)
  const engine = oneOf('engine', raw.engine ?? 'embedded', devnetEngines)
  if (engine === 'cometbft' && raw.share)
    throw badOption('share', 'true', 'only with --engine embedded')
  return {
    operators,
    engine,
    port: portOf(raw.port, operators),
    data: folder(raw.data, cwd),
    load: integer('load', raw.load, 0, 0, maxDevnetLoad),
    chaos: chaosOf(raw.chaos, operators, engine),
    slowOperator: slowOf(raw.chaos, operators),
    l1DownMs: l1DownOf(raw.chaos),
    forMs: raw.for === undefined ? undefined : duration('for', raw.for, 1_000, dayMs),
    keptBlocks: keptOf(raw.keepBlocks),
    init: raw.init ?? false,
    json: raw.json ?? false,
    share: raw.share ?? false,
    seed: integer('seed', raw.seed, 1, 0, Number.MAX_SAFE_INTEGER),
    logLevel: oneOf('log-level', raw.logLevel ?? 'warn', logLevels),
  }
}

/**
 * A duration such as `500ms`, `30s`, `5m` or `1h`, in milliseconds.
 *
 * @throws BadOptionError when the text is none, or not between the bounds.
 */
export function duration(option: string, text: string, minMs: number, maxMs: number): number {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? []
  const ms = Number(digits) * (unitMs[unit as keyof typeof unitMs] ?? Number.NaN)
  if (ms >= minMs && ms <= maxMs) return ms
  throw badOption(
    option,
    text,
    `a duration from ${words(minMs)} to ${words(maxMs)}, such as 30s, 5m or 1h`,
  )
}

const unitMs = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

/** A duration in its largest whole unit. */
const words = (ms: number): string =>
  Object.entries(unitMs)
    .filter(([, size]) => ms % size === 0)
    .map(([unit, size]) => `${ms / size}${unit}`)[0] ?? `${ms}ms`

function integer(
  option: string,
  text: string | undefined,
  initial: number,
  min: number,
  max: number,
): number {
  if (text === undefined) return initial
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw badOption(option, text, `a whole number from ${min} to ${max}`)
}

function oneOf<const Names extends readonly string[]>(
  option: string,
  text: string,
  names: Names,
): Names[number] {
  if (names.includes(text)) return text
  throw badOption(option, text, names.join(', '))
}

const defaultPort = 8545
const highestPort = 65_535

function portOf(text: string | undefined, operators: number): number {
  return integer('port', text, defaultPort, 0, highestPort + 1 - operators)
}

/** As many as an operator counts without loss of a bit. */
function keptOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  return integer('keep-blocks', text, minKeptBlocks, minKeptBlocks, Number.MAX_SAFE_INTEGER)
}

function folder(text: string | undefined, cwd: string): string | undefined {
  if (text === '') throw badOption('data', text, 'the path of a folder')
  return text === undefined ? undefined : resolve(cwd, text)
}

function chaosOf(
  text: string | undefined,
  operators: number,
  engine: DevnetEngine,
): readonly ChaosKind[] {
  if (text === undefined) return []
  const kinds = text
    .split(',')
    .map((kind) => oneOf('chaos', kind.replace(numberedShape, '$1'), chaosKinds))
  if (engine === 'cometbft' && !kinds.every((kind) => outerChaosKinds.includes(kind)))
    throw badOption('chaos', text, `with --engine cometbft only ${outerChaosKinds.join(', ')}`)
  if (operators < operatorsForChaos)
    throw badOption('chaos', text, `only with --operators ${operatorsForChaos} or more`)
  return [...new Set(kinds)]
}

/** Kinds that take a number. */
const numberedShape = /^(slow|l1-down)=\d+$/

/** The number that a list of kinds gives to one of them, as text. */
const numberOf = (text: string | undefined, kind: ChaosKind): string | undefined =>
  text
    ?.split(',')
    .find((one) => numberedShape.test(one) && one.startsWith(`${kind}=`))
    ?.slice(kind.length + 1)

/** The operator of `slow=N`; the second, when none is named. */
function slowOf(text: string | undefined, operators: number): OperatorId {
  return integer('chaos slow', numberOf(text, 'slow'), 2, 1, Math.max(2, operators))
}

/** The seconds of `l1-down=SECONDS`, in milliseconds. */
function l1DownOf(text: string | undefined): number | undefined {
  const named = numberOf(text, 'l1-down')
  return named === undefined
    ? undefined
    : 1_000 * integer('chaos l1-down', named, 0, 1, dayMs / 1_000)
}

const badOption = (option: string, value: string, allowed: string): BadOptionError =>
  new BadOptionError(`--${option} ${JSON.stringify(value)} is not allowed; allowed: ${allowed}`, {
    option,
    value,
    allowed,
  })

/** An option's value that is not allowed. */
export class BadOptionError extends DomainError<
  'BadOption',
  { readonly option: string; readonly value: string; readonly allowed: string }
> {
  override readonly code = 'BadOption'
}
