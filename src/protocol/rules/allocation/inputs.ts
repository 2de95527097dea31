import { oneWad, type Wad } from '#primitives'
import {
  type AllocationProgramme,
  maxAllocationClasses,
  micro,
  type Operator,
  type ServiceSpec,
} from '#records'
import { activeOperators, type Ledger } from '../../ledger.ts'
import { parameter } from '../../parameters.ts'
import { isCapable } from '../capable.ts'
import { scoreOf, trustOf } from '../scores.ts'
import { maxCongestion, maxJobs } from './bounds.ts'
import { declaredCapacity, declaredCost, declaredGroups } from './declared.ts'
import { turnsOf } from './turns.ts'

/** The least value of a place, so that a service that pays little still prefers who serves well. */
const leastValue = 1_000
/** A place that nobody takes costs so many times its value: any operator is better than none. */
const shortfallFactor = 4

/**
 * The epoch's inputs from what the ledger knows, quantised: the value of a place by its fee, scores
 * and trust by what operators did, cost, capacity and groups by what they declare, demand by what
 * was drawn lately.
 *
 * @param standing - the inputs of the allocation in force: what moved by less than the dead band
 *   stays as it was, so that noise moves no work.
 * @returns undefined when there is nobody, or nothing, to allocate.
 */
export function freezeInputs(
  ledger: Ledger,
  standing: AllocationProgramme | undefined,
): AllocationProgramme | undefined {
  const operators = activeOperators(ledger)
  const services = assignedServices(ledger)
  if (operators.length === 0 || services.length === 0) return undefined
  const values = valuesOf(services)
  const costs = costsIn(highestFee(services), parameter(ledger, 'costCapPpm'))
  const mostPlaces = parameter(ledger, 'epochPlaces')
  const takers = services.map((spec) => operators.map((one) => canTake(one, spec)))
  const capable = takers.map((column) => column.filter(Boolean).length)
  const seats = services.map(({ committee }, column) =>
    Math.max(1, Math.min(committee, capable[column] as number)),
  )
  const spread = parameter(ledger, 'spreadPpm')
  const fresh: AllocationProgramme = {
    operators: operators.map(({ id }) => id),
    services: services.map(({ name }) => name),
    jobs: Int32Array.from(services, ({ name }) => expectedJobs(turnsOf(ledger, name).drawn)),
    seats: Int32Array.from(seats),
    utility: Int32Array.from(
      operators.flatMap((operator) =>
        services.map(
          (spec, column) =>
            utility(ledger, spec.name, operator.id, values[column] as number) -
            costs(operator, spec, values[column] as number),
        ),
      ),
    ),
    cap: Int32Array.from(
      operators.flatMap((_, row) => takers.map((column) => (column[row] ? micro : 0))),
    ),
    congestion: Int32Array.from(values, (value, column) => {
      const crowd = Math.floor(((capable[column] as number) * spread) / (seats[column] as number))
      return Math.min(maxCongestion, Math.floor((value * crowd) / micro))
    }),
    shortfallPrice: Int32Array.from(values, (value) => shortfallFactor * value),
    capacity: Int32Array.from(operators, (one) => declaredCapacity(one, mostPlaces)),
    use: new Int32Array(services.length).fill(1),
    stake: new Int32Array(operators.length),
    stakeFloor: new Int32Array(services.length),
    ...declaredGroups(operators),
    groupShare: new Int32Array(services.length).fill(parameter(ledger, 'groupSharePpm')),
  }
  return standing ? steadied(ledger, fresh, standing, values) : fresh
}

/** Whether an operator has what a service requires, and does not declare that it takes no work. */
const canTake = (operator: Operator, spec: ServiceSpec): boolean =>
  isCapable(operator, spec) && operator.declared?.capacity !== 0

/** Services that draw committees, by name. */
const assignedServices = ({ services }: Ledger): readonly ServiceSpec[] =>
  [...services.values()]
    .filter(({ mode }) => mode === 'assigned')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, maxAllocationClasses)

/** The fee for a place of each service, in millionths of the highest one. */
function valuesOf(services: readonly ServiceSpec[]): readonly number[] {
  const highest = highestFee(services)
  return services.map((spec) =>
    highest === 0n
      ? micro
      : Math.max(leastValue, Number((placeFee(spec) * BigInt(micro)) / highest)),
  )
}

const placeFee = ({ fee, committee }: ServiceSpec): bigint => fee / BigInt(Math.max(1, committee))

const highestFee = (services: readonly ServiceSpec[]): bigint =>
  services.map(placeFee).reduce((a, b) => {
    if (a > b) return a
    return b
  }, 0n)

/**
 * What a place costs by the operator's word, in millionths of the highest fee, rounded up, and
 * capped: cost may tell operators apart, but not decide alone.
 */
const costsIn =
  (highest: bigint, capPpm: number) =>
  (operator: Operator, spec: ServiceSpec, value: number): number => {
    if (highest === 0n) return 0
    const cost = (declaredCost(operator, spec) * BigInt(micro) + highest - 1n) / highest
    return Math.min(times(capPpm, value), Number(cost))
  }

/** Twice the tasks of an epoch are in a count that halves each epoch; rounded to a power of two. */
function expectedJobs(drawn: number): number {
  let jobs = 1
  while (jobs * 2 < drawn && jobs < maxJobs) jobs *= 2
  return jobs
}

/**
 * What a place filled by this operator is worth: value · trust · (w · agreement + (1 − w) ·
 * performance), less the harm that distrust makes likely.
 *
 * @see the paper, §4.3.1, in the form of `utility` in the model's trust mode
 */
function utility(ledger: Ledger, service: string, id: Operator['id'], value: number): number {
  const score = scoreOf(ledger, service, id)
  const trust = toMicro(trustOf(score))
  const speed = times(toMicro(score.timeliness), toMicro(score.latency))
  const weight = parameter(ledger, 'agreementWeightPpm')
  const merit = times(weight, toMicro(score.agreement)) + times(micro - weight, speed)
  const harm = times(value, times(parameter(ledger, 'corruptionPpm'), micro - trust))
  return times(value, times(trust, merit)) - harm
}

/** A fraction in millionths, rounded down. */
const toMicro = (fraction: Wad): number => Number((fraction * BigInt(micro)) / oneWad)

/** Product of millionths, rounded down; exact, since neither is above a few million. */
const times = (a: number, b: number): number => Math.floor((a * b) / micro)

/** Takes over the standing utilities that have moved by less than the dead band. */
function steadied(
  ledger: Ledger,
  fresh: AllocationProgramme,
  standing: AllocationProgramme,
  values: readonly number[],
): AllocationProgramme {
  const band = parameter(ledger, 'deadBandPpm')
  const rows = new Map(standing.operators.map((id, row) => [id, row]))
  const columns = new Map(standing.services.map((name, column) => [name, column]))
  const m = fresh.services.length
  const utility = fresh.utility.map((now, at) => {
    const row = rows.get(fresh.operators[Math.floor(at / m)] as number)
    const column = columns.get(fresh.services[at % m] as string)
    if (row === undefined || column === undefined) return now
    const before = standing.utility[row * standing.services.length + column] as number
    return Math.abs(now - before) < times(band, values[at % m] as number) ? before : now
  })
  return { ...fresh, utility }
}
