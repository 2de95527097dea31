import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pass } from 'node:timers/promises'
import { endProcess, isRunning } from '#consensus'
import { createL1Client } from '#ethereum'
import { DomainError, type Hex, type Logger } from '#primitives'
import type { L1Process } from './l1.ts'

/** Where a devnet's folder keeps its L1. */
export const l1Folder = 'l1'

/** How long anvil may take to write its chain when it is told to end. */
export const shutdownLimitMs = 20_000

/** Where the anvil of a folder runs, and by what it is known. */
type RunningL1 = {
  readonly pid: number
  readonly port: number
  readonly chainId: number
  /** Hash of its first block, which holds the time of its first start; absent until it answered. */
  readonly origin?: Hex
}

/** In the folder of a chain: the process that has it. */
const processFile = (stateDir: string): string => join(stateDir, 'process.json')

/**
 * Leaves a note for a later start, which finds the process when this one was killed. Written as
 * soon as there is one, and again when it has answered: two that write one chain would spoil it.
 */
export const noteL1 = (stateDir: string, running: RunningL1): void =>
  writeFileSync(processFile(stateDir), JSON.stringify(running), { mode: 0o600 })

/** Hash of an L1's first block. */
export async function originOf(url: string): Promise<Hex> {
  const block = await createL1Client(url, answerLimitMs).getBlock({ blockNumber: 0n })
  return block.hash
}

/**
 * The anvil that an earlier process has left on this folder's chain; undefined when none answers.
 * All devnets have one chain id, and a port may be another's since: it is known by its first block.
 */
export async function adoptL1(options: {
  readonly stateDir: string
  readonly logger: Logger
  readonly onExit?: (complaint: string) => void
}): Promise<L1Process | undefined> {
  const { stateDir, logger, onExit } = options
  const noted = readNote(stateDir)
  if (!noted || !isRunning(noted.pid)) return undefined
  const { pid, port, chainId } = noted
  const url = `http://127.0.0.1:${port}`
  const origin = await answerOf(pid, url)
  if (!origin || (noted.origin ?? origin) !== origin) return undefined
  noteL1(stateDir, { ...noted, origin })
  logger.info('L1 taken up again', { url, chainId, pid })
  const watch = setInterval(() => {
    if (isRunning(pid)) return
    clearInterval(watch)
    onExit?.('')
  }, watchMs).unref()
  const stop = async () => {
    clearInterval(watch)
    await endProcess(pid, shutdownLimitMs)
    rmSync(processFile(stateDir), { force: true })
  }
  return { url, chainId, pid, stop }
}

/**
 * Sees that no L1 writes below a devnet's folder, as one that outlived a killed devnet does.
 *
 * @throws L1RunningError
 */
export function requireL1AtRest(folder: string): void {
  const noted = readNote(join(folder, l1Folder))
  if (!noted || !isRunning(noted.pid)) return
  throw new L1RunningError(
    `the L1 of ${folder} still runs: end its devnet by Ctrl-C first; where that was killed, start ` +
      'it again for it',
    { folder },
  )
}

/** What it says its first block is; waits while it is still starting. */
async function answerOf(pid: number, url: string): Promise<Hex | undefined> {
  for (let waitedMs = 0; isRunning(pid) && waitedMs < answerLimitMs; waitedMs += pauseMs) {
    const origin = await originOf(url).catch(() => undefined)
    if (origin) return origin
    await pass(pauseMs)
  }
  return undefined
}

function readNote(stateDir: string): RunningL1 | undefined {
  try {
    const { pid, port, chainId, origin } = JSON.parse(readFileSync(processFile(stateDir), 'utf8'))
    return [pid, port, chainId].every(Number.isSafeInteger) && pid > 1
      ? { pid, port, chainId, origin }
      : undefined
  } catch {
    return undefined // none, or half a note: then there is nothing to take up
  }
}

const pauseMs = 20
const watchMs = 500
const answerLimitMs = 5_000

/** A devnet was killed, and its L1 goes on. */
export class L1RunningError extends DomainError<'L1Running', { folder: string }> {
  override readonly code = 'L1Running'
}
