import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as pass } from 'node:timers/promises'

/** Whether a process runs. One that has ended and waits for its parent to hear of it does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
  } catch {
    return process.platform !== 'linux'
  }
}

/** The words of a process's command line; none when it has ended. */
export function commandOf(pid: number): readonly string[] {
  if (process.platform === 'linux')
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    } catch {
      return []
    }
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)])
  return stdout.toString().trim().split(' ')
}

/** Asks a process to end, and waits; after `limitMs` it is killed. */
export async function endProcess(pid: number, limitMs: number): Promise<void> {
  signal(pid, 'SIGTERM')
  for (let waitedMs = 0; isRunning(pid) && waitedMs < limitMs; waitedMs += pauseMs)
    await pass(pauseMs)
  if (!isRunning(pid)) return
  signal(pid, 'SIGKILL')
  while (isRunning(pid)) await pass(pauseMs)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    return // it has ended meanwhile
  }
}

const pauseMs = 20
