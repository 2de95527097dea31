import type { Epoch, Run } from './facts.ts'
import { Meter } from './meter.ts'
import type { Scenario, ScenarioEvent } from './scenario.ts'
import { type Propose, VirtualNetwork } from './virtual-network.ts'

/** How far a simulation has come: for a bar. */
export type Progress = {
  /** Runs that are over, and how many there will be. */
  readonly runs: number
  readonly ofRuns: number
  /** Epochs of the run in hand that are over. */
  readonly epochs: number
  readonly ofEpochs: number
}

/** What a scenario came to, seed by seed. */
export type Simulation = { readonly scenario: Scenario; readonly runs: readonly Run[] }

/**
 * Lives a scenario through, once for each of as many seeds as are asked for. The same scenario and
 * seeds give the same result on every machine, to the last bit.
 *
 * @param seeds - how many: the scenario's own, and those after it.
 * @param propose - solves an epoch's allocation.
 */
export function simulate(
  scenario: Scenario,
  seeds: number,
  propose: Propose,
  onProgress: (progress: Progress) => void = () => {},
): Simulation {
  const runs: Run[] = []
  for (let i = 0; i < seeds; i++)
    runs.push(
      live(scenario, scenario.seed + i, propose, (epochs) =>
        onProgress({ runs: i, ofRuns: seeds, epochs, ofEpochs: scenario.epochs }),
      ),
    )
  return { scenario, runs }
}

/** One run; `onEpoch` hears how many epochs are over. */
function live(
  scenario: Scenario,
  seed: number,
  propose: Propose,
  onEpoch: (epochs: number) => void,
): Run {
  const network = new VirtualNetwork(scenario, seed, propose)
  const meter = new Meter(scenario, network)
  const epochs: Epoch[] = []
  let demand: readonly number[] = scenario.services.map((service) => service.demand)
  let owed = scenario.services.map(() => 0)
  const begin = (epoch: number): void => {
    const events = scenario.events.filter((one) => one.epoch === epoch)
    for (const event of events) if (event.kind === 'operators') network.apply(event)
    for (const [place, { joins }] of scenario.operators.entries())
      if (epoch > 0 && joins === epoch) network.apply(joining(place, epoch))
    demand = events.reduce(withDemand, demand)
  }
  while (epochs.length < scenario.epochs) {
    const { ledger } = network
    // Nobody asks before the first allocation is in force.
    const isOpen = ledger.chain.epoch > 0
    owed = owed.map(
      (rest, place) =>
        rest + (isOpen ? ((demand[place] as number) * scenario.blockMs) / scenario.epochMs : 0),
    )
    const asked = owed.map(Math.floor)
    owed = owed.map((all, place) => all - (asked[place] as number))
    meter.note(asked, network.block(asked))
    if (network.ledger.chain.epoch === ledger.chain.epoch) continue
    if (isOpen) epochs.push(meter.close(ledger.chain.epoch, ledger, demand))
    else meter.reset()
    begin(network.ledger.chain.epoch)
    onEpoch(epochs.length)
  }
  return { seed, epochs }
}

const joining = (place: number, epoch: number): ScenarioEvent & { kind: 'operators' } => ({
  kind: 'operators',
  epoch,
  operators: [place],
  does: 'join',
  changes: {},
})

const withDemand = (demand: readonly number[], event: ScenarioEvent): readonly number[] =>
  event.kind === 'demand' ? demand.with(event.service, event.demand) : demand
