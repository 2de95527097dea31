import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { toJson } from '#api'
import type { LogLevel, RunningOperator, StartOptions } from '#node'
import { DomainError } from '#primitives'
import { exitCodes, type Surroundings, UsageError } from './cli.ts'

type RawStartOptions = {
  readonly data?: string
  readonly config?: string
  readonly logLevel?: string
  readonly json?: boolean
  readonly init?: boolean
}

/** `nodeop start`: one operator on this machine, with CometBFT, until it is asked to end. */
export const startCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('start')
    .description('run one operator from its folder, with CometBFT as its engine')
    .option(
      '--data <folder>',
      'its keys, genesis and settings, and all that it writes (default: .)',
    )
    .option('--config <file>', 'its settings (default: operator.json in the folder)')
    .option('--init', 'begin with nothing signed: only for keys that have never signed')
    .option('--json', 'print where it serves as one JSON line')
    .option('--log-level <level>', 'debug, info, warn (default), error or silent')
    .action(async (raw: RawStartOptions) => finish(await start(raw, around)))

async function start(raw: RawStartOptions, { io, cwd, env }: Surroundings): Promise<number> {
  const { awaitInterruption, createLogger, interruptedCode, startFromFolder } = await import(
    '#node'
  )
  const logLevel = await levelOf(raw.logLevel)
  const folder = resolve(cwd, raw.data ?? '.')
  const interruption = awaitInterruption()
  const failed = Promise.withResolvers<unknown>()
  const options: StartOptions = {
    folder,
    searchPath: env.PATH ?? '',
    logger: createLogger(logLevel, { folder }),
    onFailure: failed.resolve,
    signal: interruption.signal,
    init: raw.init ?? false,
    ...(await settingsOf(raw.config, cwd)),
  }
  let operator: RunningOperator
  try {
    operator = await startFromFolder(options)
  } catch (error) {
    if (error === interruption.signal.reason) return interruptedCode
    throw error
  }
  const { id, url } = operator
  io.write(raw.json ? toJson({ operator: id, gateway: url }) : `operator ${id} serves at ${url}`)
  const failure = await Promise.race([failed.promise, interruption.happened])
  await operator.stop()
  if (failure !== undefined) throw failure
  return exitCodes.ok
}

async function levelOf(text = 'warn'): Promise<LogLevel> {
  const { logLevels } = await import('#node')
  const level = logLevels.find((one) => one === text)
  if (level) return level
  throw new UsageError(
    `--log-level ${JSON.stringify(text)} is not allowed; allowed: ${logLevels.join(', ')}`,
  )
}

async function settingsOf(
  config: string | undefined,
  cwd: string,
): Promise<Pick<StartOptions, 'settings'>> {
  if (config === undefined) return {}
  const { readSettings } = await import('#node')
  const path = resolve(cwd, config)
  try {
    return { settings: readSettings(path, readFileSync(path, 'utf8')) }
  } catch (error) {
    if (error instanceof DomainError) throw error
    throw new UsageError(`--config ${path} cannot be read: ${String(error)}`)
  }
}
