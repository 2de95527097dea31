import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'

/** How a program ended and what it printed. */
export type Ended = { readonly code: number; readonly output: string }

const running = new Set<ChildProcess>()

/** Called when nothing runs any more. */
let onIdle = (): void => {}

/** How long a stopped program may take to end before it is killed. */
const graceMs = 3_000

/**
 * Starts a program in a process group of its own, so that whatever it starts ends with it. Call
 * `endWithParent` once before.
 */
export function start(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' })
  running.add(child)
  child.on('exit', () => {
    signalGroup(child, 'SIGKILL') // what it left running
    running.delete(child)
    if (running.size === 0) onIdle()
  })
  return child
}

/**
 * Steps of priority that a program gives up: a third of the processor is left to it where others
 * want it all, so that it does not starve beside a load that has nothing to do with us.
 */
const niceness = 5

/**
 * Puts this process, and whatever it will start, behind what runs as it did. Linux may weigh
 * sessions against each other, each by a number of its own, and this one leads a session; where a
 * system allows neither, nothing changes.
 */
export function giveWay(): void {
  const lower = Math.min(constants.priority.PRIORITY_LOW, getPriority() + niceness)
  for (const lowering of [
    () => setPriority(lower),
    () => writeFileSync('/proc/self/autogroup', String(lower)),
  ])
    try {
      lowering()
    } catch {
      // it runs as everybody does
    }
}

/** Runs a program to its end and collects what it printed. */
export function capture(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const child = start(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
    child.on('error', ({ message }) => resolve({ code: 1, output: `${output}${message}\n` }))
  })
}

/**
 * When this process is told to stop, everything it started is told first, and killed after a grace.
 * Then this process ends; what waits for a child is never resumed.
 */
export function endWithParent(): void {
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (stopping) return
      stopping = true
      const end = (): never => process.exit(128 + constants.signals[signal])
      if (running.size === 0) end()
      onIdle = end
      setTimeout(end, graceMs)
      for (const child of running) signalGroup(child, 'SIGTERM')
    })
  process.on('exit', () => {
    for (const child of running) signalGroup(child, 'SIGKILL')
  })
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch {
    // the group has ended
  }
}
