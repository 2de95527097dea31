// node bench/allocation-memory.ts: peak bytes of a process that builds and solves 10,000 × 1,000.
import { readFileSync } from 'node:fs'
import { solve } from '#model'
import { instance, toProgramme } from './allocation-instances.ts'

const { status } = solve(toProgramme(instance('base', 10_000, 1000, 1)))
if (status !== 'optimal') throw new Error(`our solver says ${status}`)
process.stdout.write(`${peakBytes()}\n`)

/**
 * Linux also counts what the process was before it became this program, a copy of the bench with
 * all of its programmes, in `maxRSS`; `VmHWM` is of this program alone.
 */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  if (!kilobytes) throw new Error('/proc/self/status names no VmHWM')
  return Number(kilobytes) * 1024
}
