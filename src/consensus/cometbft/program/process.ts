import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DomainError } from '#primitives'
import { commandOf, endProcess, isRunning } from './processes.ts'

/** A CometBFT to run on a folder. */
export type CometProgram = {
  readonly binary: string
  /** CometBFT's folder, absolute: it is part of the command line, by which a process is known. */
  readonly home: string
  /** Socket that it serves RPC on. A killed one leaves it behind, and nothing else can be bound. */
  readonly rpcSocket?: string
}

/** One run of CometBFT. */
export type CometRun = {
  readonly pid: number
  /** Resolves when the process is gone: with what made it so, in words. */
  readonly ended: Promise<string>
  /** Ends it, and waits; after a while it is killed. */
  stop(): Promise<void>
}

/** How long CometBFT may take to end. */
const stopLimitMs = 10_000
/** A log that is longer is put aside when CometBFT starts. */
const maxLogBytes = 16 * 1024 * 1024

const logFile = (home: string): string => join(home, 'cometbft.log')
const noteFile = (home: string): string => join(home, 'cometbft.pid')

/**
 * Starts CometBFT in a process group of its own, so that Ctrl-C in a terminal leaves it to us. Its
 * words go to `cometbft.log` in its folder.
 */
export async function launchComet({ binary, home, rpcSocket }: CometProgram): Promise<CometRun> {
  if (rpcSocket !== undefined) rmSync(rpcSocket, { force: true })
  putLogAside(logFile(home))
  const log = openSync(logFile(home), 'a', 0o600)
  const child = spawn(binary, ['start', '--home', home], {
    detached: true,
    stdio: ['ignore', log, log],
  })
  const startBytes = fstatSync(log).size
  closeSync(log)
  const ended = endOf(child, () => lastWords(home, startBytes))
  const { pid } = child
  if (pid === undefined)
    throw new CometDiedError(`CometBFT cannot be started: ${await ended}`, { home })
  // Once it has ended, its number may be another process's.
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const run: CometRun = {
    pid,
    ended,
    async stop() {
      if (!hasEnded()) await endProcess(pid, stopLimitMs)
      await ended
      rmSync(noteFile(home), { force: true })
    },
  }
  try {
    writeFileSync(noteFile(home), `${pid}\n`, { mode: 0o600 })
  } catch (error) {
    await run.stop() // unnoted, the next start would not find it
    throw error
  }
  return run
}

/**
 * Ends the CometBFT that an operator which was killed has left on this folder: it holds the
 * validator's key, and two must not sign. It is known by its command line, since its number may be
 * another's by now.
 *
 * @returns its process id, when there was one.
 */
export async function endLeftOver(home: string): Promise<number | undefined> {
  const pid = notedPid(home)
  if (pid === undefined || !isRunning(pid) || !isCometOn(home, commandOf(pid))) return undefined
  await endProcess(pid, stopLimitMs)
  return pid
}

const isCometOn = (home: string, command: readonly string[]): boolean =>
  command.includes('start') && command.at(command.indexOf('--home') + 1) === home

function notedPid(home: string): number | undefined {
  try {
    const pid = Number(readFileSync(noteFile(home), 'utf8'))
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined
  } catch {
    return undefined // none was noted
  }
}

const endOf = (child: ChildProcess, words: () => string): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', ({ message }) => resolve(message))
    child.once('exit', (code, signal) => {
      const how = signal ? `ended by ${signal}` : `ended with code ${code}`
      resolve(`${how}; its last lines: ${words() || 'none'}`)
    })
  })

/** What it said last, since this start; as many lines as help, none when its log was taken away. */
function lastWords(home: string, startBytes: number): string {
  if (!existsSync(logFile(home))) return ''
  const file = openSync(logFile(home), 'r')
  try {
    const end = fstatSync(file).size
    const start = Math.max(startBytes, end - lastBytes)
    const bytes = Buffer.alloc(Math.max(0, end - start))
    readSync(file, bytes, 0, bytes.length, start)
    const lines = bytes.toString().split('\n')
    return lines
      .filter((line) => line.trim() !== '')
      .slice(-lastLines)
      .join(' | ')
  } finally {
    closeSync(file)
  }
}

const lastBytes = 4096
const lastLines = 5

function putLogAside(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > maxLogBytes) renameSync(path, `${path}.old`)
}

/** CometBFT ended by itself, or never came up. */
export class CometDiedError extends DomainError<'CometDied', { readonly home: string }> {
  override readonly code = 'CometDied'
}
