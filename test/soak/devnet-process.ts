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

const main = join(import.meta.dirname, '../../src/cli/main.ts')

/** @param port - of the first gateway: the same for every start, so that clients find them. */
export function startDevnetProcess(data: string, port: number): DevnetProcess {
  const args = [main, 'devnet', '--data', data, '--port', String(port), '--log-level', 'error']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const exited = exitOf(child)
  const served = Promise.withResolvers<boolean>()
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    if (line.startsWith('transfer ')) served.resolve(true)
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

/** Ends the L1 that a killed devnet has left, if it has. */
export function endL1(data: string): void {
  try {
    const { pid } = JSON.parse(readFileSync(join(data, 'l1/process.json'), 'utf8'))
    process.kill(pid, 'SIGKILL')
  } catch {
    return // it has ended, as it should
  }
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)))
