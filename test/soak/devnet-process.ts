// A devnet in a process of its own, on a folder, that can be killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A devnet's process. */
export type DevnetProcess = {
  /** Resolves when it serves; false when it ended before. */
  readonly serves: Promise<boolean>
  /** What it has said. */
  readonly lines: readonly string[]
  kill(): Promise<void>
  /** Asks it to end, and waits. @returns its exit code. */
  end(): Promise<number | null>
}

/** How to start one: always the same, so that clients find it, and its L1 is watched. */
export type DevnetPlace = {
  /** Holds the network, and what it signed. */
  readonly folder: string
  /** Of the first gateway. */
  readonly port: number
  /** What its operators reach L1 by. */
  readonly l1Url: string
}

/** The network's own folder. */
export const dataOf = (folder: string): string => join(folder, 'network')

/** File to which every signature is added. */
export const signaturesOf = (folder: string): string => join(folder, 'signatures')

const main = join(import.meta.dirname, 'devnet-child.ts')

/** Starts it; it may be told to end before it serves. */
export function startDevnetProcess({ folder, port, l1Url }: DevnetPlace): DevnetProcess {
  const [data, signatures] = [dataOf(folder), signaturesOf(folder)]
  const options = { data, port: String(port), l1: l1Url, signatures }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const exited = exitOf(child)
  const served = Promise.withResolvers<boolean>()
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'serves') served.resolve(true)
  })
  void exited.then(() => served.resolve(false))
  return {
    serves: served.promise,
    lines,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    end() {
      child.kill('SIGINT')
      return exited
    },
  }
}

/** What a devnet has noted of the L1 that outlives it. */
const noteOf = (data: string): { readonly pid: number; readonly port: number } =>
  JSON.parse(readFileSync(join(data, 'l1/process.json'), 'utf8'))

/** Where the L1 of a folder listens. */
export const l1UrlOf = (data: string): string => `http://127.0.0.1:${noteOf(data).port}`

/** Ends the L1 that a killed devnet has left, if it has. */
export function endL1(data: string): void {
  try {
    process.kill(noteOf(data).pid, 'SIGKILL')
  } catch {
    return // it has ended, as it should
  }
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)))
