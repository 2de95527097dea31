// Allocation programmes as the ledger freezes them, of any shape: for tests and benches.
import { randomStream, sha256, uint64Bytes } from '#primitives'
import { type AllocationProgramme, micro } from '#records'

/** What a programme should be like. */
export type ProgrammeShape = {
  readonly operators: number
  readonly services: number
  readonly seed: number
  /** Whether all operators are worth the same. */
  readonly isEqual?: boolean
  /** Capacity against the work there is; below 1 not all of it can be done. Default: ample. */
  readonly slack?: number
  /** Declared groups, each allowed half of a class; default none. */
  readonly groups?: number
  /** Whether half of the largest stake must stand behind every second class. */
  readonly isSecured?: boolean
}

/** A programme of this shape; one seed, one programme. */
export function testProgramme(shape: ProgrammeShape): AllocationProgramme {
  const { operators: n, services: m, seed, isEqual, slack, groups = 0, isSecured } = shape
  const stream = randomStream(sha256(uint64Bytes(seed)))
  const below = (limit: number) => stream.nextBelow(limit)
  const values = Array.from({ length: m }, () => 100_000 + below(900_001))
  const seats = Int32Array.from({ length: m }, () => 1 + below(Math.max(1, Math.min(7, n - 1))))
  const jobs = Int32Array.from({ length: m }, () => 1 + below(100))
  const work = jobs.reduce((sum, count, t) => sum + count * (seats[t] as number), 0)
  return {
    operators: Array.from({ length: n }, (_, i) => i + 1),
    services: Array.from({ length: m }, (_, t) => `service-${String(t).padStart(3, '0')}`),
    jobs,
    seats,
    utility: Int32Array.from({ length: n * m }, (_, at) => {
      const value = values[at % m] as number
      return isEqual ? value : below(value + 1) - Math.floor(value / 10)
    }),
    cap: Int32Array.from({ length: n * m }, () => (isEqual || below(10) > 0 ? micro : 0)),
    congestion: Int32Array.from(values, (v, t) => Math.floor((v * n) / (2 * (seats[t] as number)))),
    shortfallPrice: Int32Array.from(values, (value) => 4 * value),
    capacity: new Int32Array(n).fill(slack ? Math.ceil((work * slack) / n) : 2 ** 30),
    use: new Int32Array(m).fill(1),
    stake: Int32Array.from({ length: n }, () => below(11) * 100_000),
    stakeFloor: Int32Array.from({ length: m }, (_, t) =>
      isSecured && t % 2 === 0 ? micro / 2 : 0,
    ),
    group: Int32Array.from({ length: n }, () => (groups > 0 ? below(groups + 1) - 1 : -1)),
    groups,
    groupShare: new Int32Array(m).fill(groups > 0 ? micro / 2 : micro),
  }
}
