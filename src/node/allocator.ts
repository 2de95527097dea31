import { Worker } from 'node:worker_threads'
import { createProgramme, type Found, type Programme, solve, toShares } from '#model'
import { type Logger, moduleBeside } from '#primitives'
import type { Competition } from '#protocol'
import { type AllocationProgramme, type AllocationProposal, entryScale, micro } from '#records'

/** What a competition asks: the best allocation of its programme, for its epoch. */
export type AllocationQuestion = Pick<Competition, 'epoch' | 'programme'>

/** What the thread answers: nothing where there is no allocation within the limits. */
export type AllocationAnswer = {
  readonly epoch: number
  readonly proposal: AllocationProposal | undefined
}

/** Solves competitions in a thread, so that the event loop goes on meanwhile. */
export type Allocator = {
  /** The proposal for a competition, once there; the first call starts the work. */
  readonly allocationOf: (question: AllocationQuestion) => AllocationProposal | undefined
  /** Ends what is being solved, unheard. */
  readonly stop: () => void
}

/**
 * Solves each competition once, the newest only, and remembers what it gave. The thread starts with
 * the first, and stays.
 *
 * @param onReady - called when a proposal is there that was not before; never throws.
 */
export function createAllocator(logger: Logger, onReady: () => void): Allocator {
  let newest = -1
  let answer: AllocationAnswer | undefined
  let thread: Worker | undefined
  let isStopped = false
  const drop = (): void => {
    void thread?.terminate()
    thread = undefined
  }
  const start = (): Worker => {
    const started = new Worker(workerModule)
    started.on('error', (error) => {
      logger.error('allocation not solved', { epoch: newest, error })
      if (thread === started) thread = undefined
    })
    started.on('message', (given: AllocationAnswer) => {
      if (thread !== started) return
      answer = given
      if (given.proposal) onReady()
    })
    return started
  }
  return {
    allocationOf: ({ epoch, programme }) => {
      if (epoch > newest && !isStopped) {
        if (answer?.epoch !== newest) drop() // it is still at the one before
        newest = epoch
        thread ??= start()
        thread.postMessage({ epoch, programme } satisfies AllocationQuestion)
      }
      return answer?.epoch === epoch ? answer.proposal : undefined
    },
    stop: () => {
      isStopped = true
      drop()
    },
  }
}

const workerModule = moduleBeside('allocation-worker', import.meta.url)

/**
 * The best allocation that the float solver finds, in the ledger's whole numbers, with its prices.
 *
 * @returns undefined when no allocation holds the limits, which shortfalls rule out. How good it
 *   is, the ledger judges.
 */
export function proposeAllocation(
  epoch: number,
  programme: AllocationProgramme,
): AllocationProposal | undefined {
  const parts = toModel(programme)
  const solution = solve(parts, { tolerance: 1e-7 })
  if (solution.status === 'infeasible') return undefined
  return { epoch, ...toPrices(programme, solution), ...toEntries(programme, parts, solution) }
}

/**
 * The ledger's programme in the model's terms: x is the share y of a class's tasks, in places, so
 * that utility, congestion and use are those of all the class's jobs.
 */
export function toModel(programme: AllocationProgramme): Programme {
  const { operators, services, jobs, seats, cap, shortfallPrice, groups } = programme
  const [n, m] = [operators.length, services.length]
  const kinds = programme.capacity.length / n
  const byPair = (one: (row: number, column: number) => number) =>
    Float64Array.from({ length: n * m }, (_, at) => one(Math.floor(at / m), at % m))
  const byClass = (one: (column: number) => number) =>
    Float64Array.from({ length: m }, (_, column) => one(column))
  const job = (column: number) => jobs[column] as number
  const fraction = (values: Int32Array, at: number) => (values[at] as number) / micro
  return createProgramme({
    operators: n,
    tasks: m,
    utility: byPair((i, t) => job(t) * fraction(programme.utility, i * m + t)),
    congestion: byPair((_, t) => job(t) * fraction(programme.congestion, t)),
    resources: Array.from({ length: kinds }, (_, k) => ({
      name: `resource ${k}`,
      capacity: Float64Array.from(programme.capacity.subarray(k * n, (k + 1) * n)),
      use: byClass((t) => (programme.use[k * m + t] as number) * job(t)),
    })),
    demand: Float64Array.from(seats),
    shortfallPrice: byClass((t) => job(t) * fraction(shortfallPrice, t)),
    cap: Float64Array.from(cap, (share) => share / micro),
    ...(programme.stakeFloor.some((floor) => floor > 0)
      ? {
          security: {
            stake: Float64Array.from(programme.stake, (stake) => stake / micro),
            floor: byClass((t) => fraction(programme.stakeFloor, t)),
          },
        }
      : {}),
    ...(groups > 0
      ? {
          groups: {
            count: groups,
            of: programme.group,
            share: byClass((t) => fraction(programme.groupShare, t)),
          },
        }
      : {}),
  })
}

function toEntries(
  { services }: AllocationProgramme,
  parts: Programme,
  { allocation }: Found,
): Pick<AllocationProposal, 'start' | 'entries' | 'shortfall'> {
  const { start, task, units, shortfall } = toShares(parts, allocation, 1 / micro)
  return {
    start,
    entries: Int32Array.from(units, (share, e) => (task[e] as number) * entryScale + share),
    shortfall: Int32Array.from({ length: services.length }, (_, t) => shortfall[t] as number),
  }
}

/** Prices a job, in millionths; whatever rounding does to them, they only bound from above. */
function toPrices(
  { jobs, services, shortfallPrice, groups }: AllocationProgramme,
  { prices }: Found,
): Pick<AllocationProposal, 'capacityPrice' | 'demandPrice' | 'stakePrice' | 'groupPrice'> {
  const m = services.length
  const whole = (price: number, jobs: number) => Math.max(0, Math.round((price * micro) / jobs))
  const job = (at: number) => jobs[at % m] as number
  return {
    capacityPrice: Int32Array.from(prices.capacity, (price) => whole(price, 1)),
    demandPrice: Int32Array.from(prices.demand, (price, t) =>
      Math.max(-(shortfallPrice[t] as number), Math.round((price * micro) / job(t))),
    ),
    stakePrice: Int32Array.from({ length: m }, (_, t) => whole(prices.security[t] ?? 0, job(t))),
    groupPrice: Int32Array.from({ length: groups * m }, (_, at) =>
      whole(prices.group[at] ?? 0, job(at)),
    ),
  }
}
