import {
  type AllocationProgramme,
  maxAllocationClasses,
  maxAllocationOperators,
  maxResources,
  micro,
} from '#records'
import { resourcesOf } from './judge.ts'

/** Largest utility, congestion and shortfall price, in millionths of money. */
export const maxUtility = 2 ** 22
export const maxCongestion = 2 ** 27
export const maxShortfallPrice = 2 ** 23
/** Most tasks a class in an epoch, and most committee places a task. */
export const maxJobs = 2 ** 16
const maxSeats = 256
/** Most units of a resource that all places of one class can take together. */
const maxUse = 2 ** 25

/**
 * Where a programme leaves the range in which verifying it is exact; undefined when nowhere. Names
 * the part, its place and the rule.
 */
export function programmeFault(programme: AllocationProgramme): string | undefined {
  const { operators, services, jobs, use, groups, group } = programme
  const [n, m] = [operators.length, services.length]
  if (n < 1 || n > maxAllocationOperators) return `operators: 1 to ${maxAllocationOperators}`
  if (m < 1 || m > maxAllocationClasses) return `services: 1 to ${maxAllocationClasses}`
  const kinds = resourcesOf(programme)
  if (!Number.isInteger(kinds) || kinds < 1 || kinds > maxResources)
    return `capacity: 1 to ${maxResources} numbers an operator`
  const fault = boundsOf(programme, n, m, kinds).flatMap(faultOf)[0]
  if (fault !== undefined) return fault
  const heavy = use.findIndex((each, at) => each * (jobs[at % m] as number) > maxUse)
  if (heavy >= 0) return `use ${heavy}: at most ${maxUse} with all jobs`
  const stray = group.findIndex((one) => one >= groups)
  return stray < 0 ? undefined : `group ${stray}: below ${groups}`
}

type Bounds = {
  readonly name: string
  readonly values: Int32Array
  readonly length: number
  readonly min: number
  readonly max: number
}

function boundsOf(programme: AllocationProgramme, n: number, m: number, kinds: number): Bounds[] {
  const of = (name: keyof AllocationProgramme & keyof typeof ranges, length: number): Bounds => {
    const [min, max] = ranges[name]
    return { name, values: programme[name], length, min, max }
  }
  return [
    of('jobs', m),
    of('seats', m),
    of('utility', n * m),
    of('cap', n * m),
    of('congestion', m),
    of('shortfallPrice', m),
    of('capacity', kinds * n),
    of('use', kinds * m),
    of('stake', n),
    of('stakeFloor', m),
    of('group', n),
    of('groupShare', m),
  ]
}

const ranges = {
  jobs: [1, maxJobs],
  seats: [1, maxSeats],
  utility: [-maxUtility, maxUtility],
  cap: [0, micro],
  congestion: [0, maxCongestion],
  shortfallPrice: [0, maxShortfallPrice],
  capacity: [0, 2 ** 31 - 1],
  use: [0, 512],
  stake: [0, micro],
  stakeFloor: [0, micro],
  group: [-1, maxAllocationOperators - 1],
  groupShare: [0, micro],
} as const

function faultOf({ name, values, length, min, max }: Bounds): string[] {
  if (values.length !== length) return [`${name}: ${length} numbers, not ${values.length}`]
  const at = values.findIndex((value) => value < min || value > max)
  return at < 0 ? [] : [`${name} ${at}: ${min} to ${max}, not ${values[at]}`]
}
