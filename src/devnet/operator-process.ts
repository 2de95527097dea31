import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LogLevel } from '#node'
import { DomainError, type Logger, moduleBeside } from '#primitives'

/** One operator in a process of its own. */
export type OperatorProcess = {
  readonly pid: number | undefined
  /** Resolves when its gateway serves. @throws OperatorDiedError when it ended before. */
  readonly serves: Promise<void>
  /** Asks it to end, and waits; kills it when it takes too long. */
  end(): Promise<void>
  /** Ends it without a word. */
  kill(): Promise<void>
}

/** How long an operator may take to end. */
const endLimitMs = 60_000
/** Lines of its standard error that are kept, for when it ends. */
const keptLines = 5

/** The `nodeop` command, beside us in the source and in the build alike. */
const program = fileURLToPath(moduleBeside('../cli/main', import.meta.url))

/**
 * Starts `nodeop start` on a folder. It is in a process group of its own, so that Ctrl-C in a
 * terminal leaves it to us, and it ends when we do, since it hears of that by its channel.
 */
export function startOperatorProcess(options: {
  readonly folder: string
  readonly name: string
  /** Whether its guard may begin with nothing signed. */
  readonly init: boolean
  readonly logLevel: LogLevel
  readonly logger: Logger
}): OperatorProcess {
  const { folder, name, init, logLevel, logger } = options
  const args = ['start', '--data', folder, '--json', '--log-level', logLevel]
  if (init) args.push('--init')
  const child = spawn(process.execPath, [...flags, program, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const lines: string[] = []
  const served = Promise.withResolvers<void>()
  served.promise.catch(() => {}) // whoever waits for it hears of it
  let isServing = false
  let isEnding = false
  follow(
    child,
    lines,
    () => isServing,
    () => {
      isServing = true
      served.resolve()
    },
  )
  const exited = exitOf(child).then((how) => {
    const words = `${name} ${how}: ${lines.join(' | ') || 'it said nothing'}`
    served.reject(new OperatorDiedError(words, { name }))
    // Whoever waits for it to serve says why it does not.
    if (isServing && !isEnding)
      logger.error('an operator ended by itself', { code: 'OperatorDied', words })
  })
  const stop = async (signal: NodeJS.Signals) => {
    isEnding = true
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), endLimitMs)
    await exited
    clearTimeout(timer)
  }
  return {
    pid: child.pid,
    serves: served.promise,
    end: () => stop('SIGTERM'),
    kill: () => stop('SIGKILL'),
  }
}

const flags = ['--disable-warning=ExperimentalWarning']

/**
 * A line on standard output says where it serves; its log goes where ours goes. Of a start that is
 * refused, the line that says why is the error's.
 */
function follow(
  child: ChildProcess,
  lines: string[],
  isServing: () => boolean,
  onServing: () => void,
): void {
  if (child.stdout)
    createInterface({ input: child.stdout }).on('line', (line) => saysGateway(line) && onServing())
  if (child.stderr)
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (isServing() || line.startsWith('{')) process.stderr.write(`${line}\n`)
      lines.push(line)
      if (lines.length > keptLines) lines.shift()
    })
}

const saysGateway = (line: string): boolean => line.includes('"gateway":')

const exitOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(`cannot be started: ${message}`))
    child.once('close', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`),
    )
  })

/** An operator's process ended by itself. */
export class OperatorDiedError extends DomainError<'OperatorDied', { readonly name: string }> {
  override readonly code = 'OperatorDied'
}
