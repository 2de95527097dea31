import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proposeAllocation } from '#node'
import {
  type Epoch,
  readScenario,
  simulate,
  simulationReport,
  summariseSimulation,
} from '#simulation'
import { totalWei } from '../../test/support/ledger-network.ts'
import { VirtualNetwork } from './virtual-network.ts'

/** Four operators and one service, in short epochs. */
const base = {
  epochs: 10,
  epochMs: 4_000,
  parameters: { allocationLeadMs: 1_000 },
  operators: [{ name: 'op', count: 4 }],
  services: [{ name: 'price', committee: 2, demand: 8 }],
}
const scenarioOf = (changes: object) => readScenario({ ...base, ...changes }, 'test')
const run = (changes: object, seeds = 1) => simulate(scenarioOf(changes), seeds, proposeAllocation)
const epochsOf = (changes: object): readonly Epoch[] => run(changes).runs[0]?.epochs ?? []

/** An operator's share in each epoch, from the first on. */
const sharesOf = (epochs: readonly Epoch[], place: number): readonly number[] =>
  epochs.map(({ operators }) => operators[place]?.share ?? assert.fail())

test('simulate: the same scenario and seed give the same bytes, another seed others', () => {
  const noisy = { epochs: 4, operators: [{ name: 'op', count: 5, failure: 0.1, lie: 0.1 }] }
  const [first, again, other] = [run(noisy), run(noisy), run({ ...noisy, seed: 2 })]
  assert.equal(JSON.stringify(first), JSON.stringify(again))
  assert.equal(simulationReport(first), simulationReport(again))
  assert.notDeepEqual(first.runs[0]?.epochs, other.runs[0]?.epochs)
  const both = run(noisy, 2)
  assert.deepEqual(both.runs[0], first.runs[0])
  assert.deepEqual(both.runs[1], other.runs[0])
})

test('simulate: a slow operator loses its work within three epochs, and has it back once well', () => {
  const events = [
    { epoch: 5, operators: ['op-2'], speedMs: 2_300 },
    { epoch: 10, operators: ['op-2'], speedMs: 300 },
  ]
  const six = [{ name: 'op', count: 6 }]
  const services = [{ name: 'price', committee: 4, demand: 8 }]
  const epochs = epochsOf({ epochs: 24, operators: six, services, events })
  const shares = sharesOf(epochs, 1)
  const [healthy = 0, slow = 1, recovered = 0] = [shares[3], shares[7], shares[23]]
  assert(Math.abs(healthy - 1 / 6) < 0.02, `${healthy}`)
  assert(slow < healthy / 3, `${shares}`)
  assert(recovered > 0.9 * healthy, `${shares}`)
  // Without the event it keeps its share: it is the slowness that costs it.
  const well = sharesOf(epochsOf({ epochs: 9, operators: six, services }), 1).slice(5)
  for (const share of well) assert(Math.abs(share - 1 / 6) < 0.02, `${well}`)
})

test('simulate: who lies earns nothing and is left to the probe; the honest are paid', () => {
  const operators = [
    { name: 'op', count: 6 },
    { name: 'eve', lie: 1 },
  ]
  const services = [{ name: 'price', committee: 4, demand: 8, noiseBps: 20 }]
  const { operators: ends } = summariseSimulation(run({ operators, services }))
  const eve = ends.at(-1) ?? assert.fail()
  assert.equal(eve.name, 'eve')
  assert.equal(eve.earned.mean, 0)
  assert(eve.outlying.mean > 0)
  assert(eve.endShare.mean < 0.04, `${eve.endShare.mean}`)
  for (const { name, earned } of ends.slice(0, 6)) assert(earned.mean > 5, `${name} ${earned.mean}`)
})

/** Each operator's part of the work from an epoch on. */
function worksFrom(first: number, epochs: readonly Epoch[]): readonly number[] {
  const late = epochs.filter(({ epoch }) => epoch >= first)
  const places = late.map(({ operators }) => operators.map(({ drawn }) => drawn))
  const all = places.flat().reduce((a, b) => a + b, 0)
  const [one = []] = places
  return one.map((_, place) => places.reduce((sum, each) => sum + (each[place] ?? 0), 0) / all)
}

test('simulate: four equal operators end within half a per cent of equal work', () => {
  const end = (demand: number, operators: object[]) => {
    const services = [{ name: 'price', committee: 2, demand }]
    return worksFrom(4, epochsOf({ epochs: 8, operators, services, parameters }))
  }
  const parameters = { ...base.parameters, refreshEpochs: 3 }
  const works = end(200, [{ name: 'op', count: 4 }])
  for (const work of works) assert(Math.abs(work - 0.25) / 0.25 < 0.005, `${works}`)
  // The same measure tells unequal ones apart.
  const costly = end(20, [
    { name: 'op', count: 3 },
    { name: 'costly', cost: 0.25 },
  ])
  assert((costly.at(-1) ?? 1) < 0.24, `${costly}`)
})

test('simulate: noise within the dead band moves no work but when the band is refreshed', () => {
  const services = [{ name: 'price', committee: 2, demand: 12 }]
  const changes = (deadBandPpm: number): readonly number[] => {
    const parameters = { ...base.parameters, deadBandPpm }
    const epochs = epochsOf({ epochs: 16, services, parameters }).slice(8)
    const shares = epochs.map(({ operators }) => operators.map(({ share }) => share).join())
    return epochs.flatMap(({ epoch }, i) => (i > 0 && shares[i] !== shares[i - 1] ? [epoch] : []))
  }
  assert.deepEqual(changes(50_000), [16])
  assert(changes(0).length > 4, `without the band: ${changes(0)}`)
})

test('simulate: who leaves is drawn no more, who joins is, who stops is missed', () => {
  const events = [
    { epoch: 3, operators: ['op-1'], does: 'leave' },
    { epoch: 3, operators: ['op-2'], does: 'stop' },
    { epoch: 6, operators: ['op-1'], does: 'join' },
    { epoch: 6, operators: ['op-2'], does: 'start' },
  ]
  const operators = [
    { name: 'op', count: 6 },
    { name: 'late', joins: 5 },
  ]
  const epochs = epochsOf({ epochs: 9, operators, events })
  const at = (epoch: number, place: number) => epochs[epoch - 1]?.operators[place] ?? assert.fail()
  assert(at(2, 0).drawn > 0 && at(2, 0).isMember)
  assert.deepEqual([at(4, 0).drawn, at(4, 0).share, at(4, 0).isMember], [0, 0, false])
  assert(at(9, 0).drawn > 0)
  assert(at(3, 1).missing > 0 && at(9, 1).missing === 0)
  assert.equal(at(4, 6).drawn, 0)
  assert(at(9, 6).drawn > 0)
})

test('simulate: work that needs hardware goes to those who have it, and capacity is a limit', () => {
  const operators = [
    { name: 'plain', count: 3 },
    { name: 'gpu', count: 2, capabilities: ['gpu'] },
    { name: 'small', declaredCapacity: 2, capabilities: ['gpu'] },
  ]
  const services = [{ name: 'proof', committee: 1, demand: 8, requires: ['gpu'] }]
  const epochs = epochsOf({ operators, services })
  for (const place of [0, 1, 2])
    for (const { operators: each } of epochs) assert.equal(each[place]?.drawn, 0)
  const last = epochs.at(-1)?.operators ?? []
  assert(Math.abs((last[5]?.share ?? 0) - 0.25) < 0.001, `${last[5]?.share}`)
  assert((last[5]?.capacityPrice ?? 0) > 0, 'what is scarce has a price')
  assert.equal(last[3]?.capacityPrice, 0)
})

test('simulate: a declared group has no more than its part of the places', () => {
  const operators = [
    { name: 'acme', count: 4, group: 'acme' },
    { name: 'op', count: 4 },
  ]
  const partsOf = (groupSharePpm: number) => {
    const parameters = { ...base.parameters, groupSharePpm }
    return epochsOf({ epochs: 5, operators, parameters })
      .slice(2)
      .map((epoch) => epoch.operators.slice(0, 4).reduce((sum, { share }) => sum + share, 0))
  }
  for (const part of partsOf(333_333)) assert(part < 0.334, `${part}`)
  for (const part of partsOf(1_000_000)) assert(part > 0.4, `without a cap, only ${part}`)
})

test('virtual network: no money is made or lost, whatever operators do', () => {
  const scenario = scenarioOf({ operators: [{ name: 'op', count: 5, failure: 0.3, lie: 0.3 }] })
  const network = new VirtualNetwork(scenario, 3, proposeAllocation)
  const { supply } = network.ledger.chain
  for (let i = 0; i < 60; i++) {
    network.block([i % 2])
    assert.equal(totalWei(network.ledger), supply)
  }
})

test('simulate: who lies where they hold a committee is found by audits alone, and loses work', () => {
  const operators = [
    { name: 'op', count: 8 },
    { name: 'ring', count: 4, collude: 1 },
  ]
  const services = [{ name: 'price', committee: 2, demand: 30 }]
  const ends = (auditPpm: number) => {
    const parameters = { ...base.parameters, auditPpm }
    return summariseSimulation(run({ epochs: 10, operators, services, parameters })).operators
  }
  const workOf = (some: ReturnType<typeof ends>) =>
    some.reduce((sum, one) => sum + one.work.mean, 0)
  const unaudited = ends(0).slice(8)
  assert(Math.abs(workOf(unaudited) - 1 / 3) < 0.01, `without audits: ${workOf(unaudited)}`)
  const audited = ends(200_000)
  const [honest, ring] = [audited.slice(0, 8), audited.slice(8)]
  assert(workOf(ring) < 0.31, `with audits: ${workOf(ring)}`)
  assert(ring.filter(({ refuted }) => refuted.mean > 0).length >= 2)
  for (const { refuted, upheld } of honest)
    assert(refuted.mean === 0 && upheld.mean > 0, 'the honest are upheld')
})
