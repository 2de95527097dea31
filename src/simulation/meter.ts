import { oneWad, type Wad } from '#primitives'
import {
  gapPpm,
  type Ledger,
  operatorOf,
  type Score,
  scoreOf,
  sharesOf,
  standingCompetition,
  trustOf,
} from '#protocol'
import { micro, type OperatorId } from '#records'
import type { AllocationEpoch, Epoch, OperatorEpoch, ServiceEpoch } from './facts.ts'
import { nashOverOptimum } from './market.ts'
import { percentile } from './percentile.ts'
import type { Scenario, ScenarioService } from './scenario.ts'
import type { BlockFactsSeen, EndedTask, VirtualNetwork } from './virtual-network.ts'
import { toMoney } from './virtual-service.ts'

/** Counts of one epoch; begun anew for each. */
type Tally = {
  readonly asked: number[]
  readonly refused: number[]
  readonly ended: EndedTask[]
  readonly scoresBefore: readonly (readonly Score[])[]
  readonly spentBefore: readonly number[]
}

/** Counts what happens in a network, and tells it epoch by epoch. */
export class Meter {
  readonly #scenario: Scenario
  readonly #network: VirtualNetwork
  #tally: Tally

  constructor(scenario: Scenario, network: VirtualNetwork) {
    this.#scenario = scenario
    this.#network = network
    this.#tally = this.#begin()
  }

  /** Takes note of a block. */
  note(asked: readonly number[], seen: BlockFactsSeen): void {
    const tally = this.#tally
    for (const [place, count] of asked.entries())
      tally.asked[place] = (tally.asked[place] ?? 0) + count
    for (const place of seen.refused) tally.refused[place] = (tally.refused[place] ?? 0) + 1
    tally.ended.push(...seen.ended)
  }

  /** Drops what was counted so far. */
  reset(): void {
    this.#tally = this.#begin()
  }

  /**
   * What the epoch showed that is over now, and begins the next.
   *
   * @param before - the ledger in the epoch's last block: its allocation was in force.
   * @param demand - tasks of each service in the epoch.
   */
  close(epoch: number, before: Ledger, demand: readonly number[]): Epoch {
    const tally = this.#tally
    const { services, operators } = this.#scenario
    const allocation = allocationOf(before, services)
    const drawn = operators.map((_, place) => this.#drawnSince(tally, place))
    const allDrawn = drawn.reduce((sum, one) => sum + one, 0)
    const closed: Epoch = {
      epoch,
      services: services.map((_, place) => serviceEpoch(tally, place, allocation)),
      operators: operators.map((_, place) => ({
        ...this.#operatorEpoch(tally, place, allocation, demand),
        work: allDrawn === 0 ? 0 : (drawn[place] as number) / allDrawn,
      })),
      allocation: allocation.facts,
    }
    this.#tally = this.#begin()
    return closed
  }

  #begin(): Tally {
    const { services, operators } = this.#scenario
    return {
      asked: services.map(() => 0),
      refused: services.map(() => 0),
      ended: [],
      scoresBefore: operators.map((_, place) => this.#scores(place)),
      spentBefore: this.#network.desks.map(({ spent }) => spent),
    }
  }

  /** By service. */
  #scores = (place: number): readonly Score[] =>
    this.#scenario.services.map(({ name }) => scoreOf(this.#network.ledger, name, place + 1))

  #canServe(place: number, service: number): boolean {
    const { operators, services } = this.#scenario
    const { capabilities = [] } = operators[place] ?? {}
    return (services[service]?.requires ?? []).every((one) => capabilities.includes(one))
  }

  #drawnSince({ scoresBefore }: Tally, place: number): number {
    return risen(scoresBefore[place] ?? [], this.#scores(place), ({ drawn }) => drawn)
  }

  #operatorEpoch(
    { scoresBefore, spentBefore }: Tally,
    place: number,
    { shares, capacityPrice }: Allocated,
    demand: readonly number[],
  ): Omit<OperatorEpoch, 'work'> {
    const scores = this.#scores(place)
    const served = scores.filter((_, service) => this.#canServe(place, service))
    const desk = this.#network.desks[place]
    const mine = shares.map((one) => one.get(place + 1) ?? 0)
    const places = shares.map((one, t) => sum([...one.values()]) * (demand[t] ?? 0))
    const meant = mine.map((share, t) => share * (demand[t] ?? 0))
    const since = (of: (score: Score) => number) => risen(scoresBefore[place] ?? [], scores, of)
    const bad = { late: since(lateOf), missing: since(missingOf), outlying: since(outlyingOf) }
    return {
      isMember: desk?.isMember ?? false,
      share: sum(places) === 0 ? 0 : sum(meant) / sum(places),
      shares: mine,
      drawn: since(({ drawn }) => drawn),
      kept: since(({ drawn }) => drawn) - bad.late - bad.missing - bad.outlying,
      ...bad,
      upheld: since(({ upheld }) => upheld),
      refuted: since(({ refuted }) => refuted),
      trust: meanOf(served, trustOf),
      timeliness: meanOf(served, ({ timeliness }) => timeliness),
      agreement: meanOf(served, ({ agreement }) => agreement),
      latency: meanOf(served, ({ latency }) => latency),
      earned: since(({ earned }) => toMoney(earned)),
      spent: (desk?.spent ?? 0) - (spentBefore[place] ?? 0),
      capacityPrice: capacityPrice.get(place + 1) ?? 0,
    }
  }
}

const lateOf = ({ late }: Score): number => late
const missingOf = ({ missing }: Score): number => missing
const outlyingOf = ({ outlying }: Score): number => outlying

/** The allocation in force, in the scenario's terms. */
type Allocated = {
  readonly facts: AllocationEpoch
  /** By service, then by operator's id. */
  readonly shares: readonly ReadonlyMap<number, number>[]
  readonly demandPrice: readonly number[]
  readonly shortfall: readonly number[]
  readonly capacityPrice: ReadonlyMap<number, number>
}

function allocationOf(ledger: Ledger, services: readonly ScenarioService[]): Allocated {
  const standing = standingCompetition(ledger)
  const shares = services.map(({ name }) => {
    const spec = ledger.services.get(name)
    const held = spec ? sharesOf(ledger, spec) : new Map<number, number>()
    return new Map([...held].map(([id, share]) => [id, share / micro]))
  })
  if (!standing?.best)
    return {
      facts: { gapPpm: undefined, nashOverOptimum: undefined },
      shares,
      demandPrice: services.map(() => 0),
      shortfall: services.map(() => 0),
      capacityPrice: new Map(),
    }
  const { programme, best } = standing
  const { capacityPrice, demandPrice, shortfall } = best.proposal
  const unit = Math.max(...services.map(({ fee, committee }) => fee / committee)) / micro
  const costs = Float64Array.from(
    programme.operators.flatMap((id) =>
      programme.services.map((name) => costOf(ledger, id, name) / (unit * micro)),
    ),
  )
  const columns = services.map(({ name }) => programme.services.indexOf(name))
  return {
    facts: {
      gapPpm: gapPpm(programme, best),
      nashOverOptimum: nashOverOptimum(programme, costs),
    },
    shares,
    demandPrice: columns.map((t) => unit * (demandPrice[t] ?? 0)),
    shortfall: columns.map((t) => (shortfall[t] ?? 0) / ((programme.seats[t] ?? 1) * micro)),
    capacityPrice: new Map(
      programme.operators.map((id, row) => [id, unit * (capacityPrice[row] ?? 0)]),
    ),
  }
}

/** What a place costs an operator by its own word, in the scenario's money. */
function costOf(ledger: Ledger, id: OperatorId, service: string): number {
  const costs = operatorOf(ledger, id)?.declared?.costs ?? []
  return toMoney(costs.find((one) => one.service === service)?.cost ?? 0n)
}

function serviceEpoch(
  tally: Tally,
  place: number,
  { demandPrice, shortfall }: Allocated,
): ServiceEpoch {
  const ended = tally.ended.filter(({ service }) => service === place)
  const agreed = ended.filter(({ task }) => task.status !== 'expired')
  const spans = agreed.map(({ latencyMs }) => latencyMs)
  return {
    asked: tally.asked[place] ?? 0,
    refused: tally.refused[place] ?? 0,
    agreed: agreed.length,
    expired: ended.length - agreed.length,
    redrawn: ended.filter(({ task }) => task.attempt > 1).length,
    latencyMs:
      spans.length === 0
        ? undefined
        : { p50: percentile(spans, 0.5), p99: percentile(spans, 0.99) },
    demandPrice: demandPrice[place] ?? 0,
    shortfall: shortfall[place] ?? 0,
  }
}

/** By how much a count over all services has risen. */
const risen = (
  before: readonly Score[],
  after: readonly Score[],
  of: (score: Score) => number,
): number => sum(after.map(of)) - sum(before.map(of))

const meanOf = (scores: readonly Score[], of: (score: Score) => Wad): number =>
  sum(scores.map((score) => Number(of(score)) / Number(oneWad))) / Math.max(1, scores.length)

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)
