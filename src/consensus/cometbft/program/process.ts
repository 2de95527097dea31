import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DomainError } from '#primitives'
import { LogFile } from './log-file.ts'
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
  /** Puts its log aside when that has grown long. @throws the system's own errors. */
  trimLog(): void
  /** Ends it, and waits; after a while it is killed. */
  stop(): Promise<void>
}

/** How long CometBFT may take to end. */
const stopLimitMs = 10_000

const noteFile = (home: string): string => join(home, 'cometbft.pid')

/**
 * Starts CometBFT in a process group of its own, so that Ctrl-C in a terminal leaves it to us. Its
 * words go to `cometbft.log` in its folder.
 */
export async function launchComet({ binary, home, rpcSocket }: CometProgram): Promise<CometRun> {
  if (rpcSocket !== undefined) rmSync(rpcSocket, { force: true })
  const log = new LogFile(home)
  const file = log.open()
  const child = spawn(binary, ['start', '--home', home], {
    detached: true,
    stdio: ['ignore', file, file],
  })
  closeSync(file)
  const ended = endOf(child, () => log.lastWords())
  const { pid } = child
  if (pid === undefined)
    throw new CometDiedError(`CometBFT cannot be started: ${await ended}`, { home })
  // Once it has ended, its number may be another process's.
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const run: CometRun = {
    pid,
    ended,
    trimLog: () => log.trim(),
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

/** CometBFT ended by itself, or never came up. */
export class CometDiedError extends DomainError<'CometDied', { readonly home: string }> {
  override readonly code = 'CometDied'
}
