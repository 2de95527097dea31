// node bench/allocation-memory.ts: peak bytes of a process that builds and solves 10,000 × 1,000.
import { solve } from '#model'
import { instance, toProgramme } from './allocation-instances.ts'

const { status } = solve(toProgramme(instance('base', 10_000, 1000, 1)))
if (status !== 'optimal') throw new Error(`our solver says ${status}`)
process.stdout.write(`${process.resourceUsage().maxRSS * 1024}\n`)
