import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proposeAllocation } from '#node'
import { sha256, toHex, uint64Bytes } from '#primitives'
import {
  allocatedShares,
  duties,
  type Ledger,
  openCompetition,
  sharesOf,
  standingCompetition,
  taskOf,
} from '#protocol'
import { type AllocationProposal, entryScale, type OperatorId, type ServiceSpec } from '#records'
import { idealCrypto } from '../../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../../test/support/ledger-network.ts'
import { introduce, reasonsOf } from '../../../../test/support/ledger-script.ts'
import { drawCommittees } from '../draw.ts'
import { type Observation, observe } from '../scores.ts'
import { freezeInputs } from './inputs.ts'

/** A network whose first competition is open. */
function competing(operators = 4): LedgerNetwork {
  const network = new LedgerNetwork(operators, {}, idealCrypto)
  introduce(network)
  assert(openCompetition(network.ledger), 'the first block freezes the first inputs')
  return network
}

const bestOf = ({ ledger }: LedgerNetwork): AllocationProposal => {
  const open = openCompetition(ledger) ?? assert.fail('nothing is open')
  return proposeAllocation(open.epoch, open.programme) ?? assert.fail('stalled')
}

const send = (network: LedgerNetwork, id: OperatorId, proposal: AllocationProposal) =>
  reasonsOf(network.block([network.report(id, [{ kind: 'allocation', proposal }])]))[0]

/** Closes the competition. */
const close = (network: LedgerNetwork): void => void network.block([], 20_000)

/** The epochs that it takes to put the best allocation for these observations in force. */
function allocateAfter(network: LedgerNetwork, seen: readonly [OperatorId, Observation][]): void {
  network.ledger = seen.reduce(
    (ledger, [id, one]) => observe(ledger, 'byte', id, one, undefined),
    network.ledger,
  )
  close(network)
  const open = openCompetition(network.ledger)
  if (!open) return
  assert.equal(send(network, 1, bestOf(network)), 'ok')
  close(network)
}

const spec = (ledger: Ledger): ServiceSpec => ledger.services.get('byte') ?? assert.fail()

/** A worse allocation that holds all limits: a place moves from one operator to another. */
function perturbed(proposal: AllocationProposal, by: number): AllocationProposal {
  const [first, second] = [proposal.start[0] as number, proposal.start[1] as number]
  const entries = proposal.entries.slice()
  entries[first] = (entries[first] as number) - by
  entries[second] = (entries[second] as number) + by
  return { ...proposal, entries }
}

test('competition: the best verified proposal is in force from the next epoch', () => {
  const network = competing(7)
  assert.equal(send(network, 3, bestOf(network)), 'ok')
  assert.equal(standingCompetition(network.ledger), undefined)
  close(network)
  const standing = standingCompetition(network.ledger)
  assert.equal(standing?.best?.operator, 3)
  const shares = [...(allocatedShares(network.ledger, 'byte')?.values() ?? [])]
  assert.equal(
    shares.reduce((a, b) => a + b, 0),
    4_000_000,
  )
  for (const share of shares) assert(Math.abs(share - 4_000_000 / 7) < 2)
})

test('competition: a worse one never wins, an equal one comes too late, a better one does', () => {
  const network = competing(7)
  const best = bestOf(network)
  assert.equal(send(network, 1, perturbed(best, 20)), 'ok')
  assert.equal(send(network, 2, perturbed(best, 40)), 'NotBetter')
  assert.equal(send(network, 3, perturbed(best, 20)), 'NotBetter')
  assert.equal(send(network, 4, best), 'ok')
  assert.equal(send(network, 5, best), 'NotBetter')
  close(network)
  assert.equal(standingCompetition(network.ledger)?.best?.operator, 4)
})

test('competition: one unit too much, another epoch or a bad price leave no trace', () => {
  const network = competing(7)
  const best = bestOf(network)
  const before = network.ledger.competitions
  const more = best.entries.with(0, (best.entries[0] as number) + 1)
  assert.equal(send(network, 1, { ...best, entries: more }), 'AllocationInfeasible')
  assert.equal(send(network, 1, { ...best, epoch: 9 }), 'NoCompetition')
  const negative = best.capacityPrice.with(0, -1)
  assert.equal(send(network, 1, { ...best, capacityPrice: negative }), 'AllocationPrice')
  assert.equal(send(network, 1, perturbed(best, 300_000)), 'AllocationGap')
  assert.equal(send(network, 1, { ...best, entries: best.entries.slice(1) }), 'AllocationShape')
  assert.equal(network.ledger.competitions, before)
})

test('competition: with no valid proposal the allocation in force stays', () => {
  const network = competing(7)
  send(network, 3, bestOf(network))
  close(network)
  const standing = standingCompetition(network.ledger)
  network.ledger = observe(network.ledger, 'byte', 1, 'missing', undefined)
  close(network)
  assert(openCompetition(network.ledger))
  close(network)
  assert.deepEqual(standingCompetition(network.ledger), standing)
})

test('competition: solving is owed while it is open and nobody has solved it', () => {
  const network = competing()
  const owed = () => duties(network.ledger, 2, network.timeMs).some(({ kind }) => kind === 'solve')
  assert(owed())
  send(network, 1, bestOf(network))
  assert(!owed())
})

test('competition: what moved less than the dead band moves no work', () => {
  const network = competing(7)
  const served = (times: (id: OperatorId) => number) =>
    [1, 2, 3, 4, 5, 6, 7].flatMap((id) =>
      Array<[OperatorId, Observation]>(times(id)).fill([id, 'agreed']),
    )
  for (let i = 0; i < 4; i++)
    allocateAfter(
      network,
      served(() => 6),
    )
  const before = standingCompetition(network.ledger)
  allocateAfter(
    network,
    served((id) => (id === 1 ? 5 : 6)),
  )
  assert.equal(openCompetition(network.ledger), undefined, 'no competition is needed')
  assert.deepEqual(standingCompetition(network.ledger), before)
  const fresh = freezeInputs(network.ledger, undefined)
  assert.notDeepEqual(fresh?.utility, before?.programme.utility, 'yet something has moved')
  // In the epoch of the refresh, the small changes count too.
  for (let i = 0; i < 8 && standingCompetition(network.ledger) === before; i++)
    allocateAfter(network, [])
  assert.notEqual(standingCompetition(network.ledger), before)
  assert.equal(network.ledger.chain.epoch % 8, 0)
})

for (const fault of ['late', 'missing', 'outlying'] as const)
  test(`feedback: who is ${fault} loses its work within three epochs, and regains it`, () => {
    const network = competing(7)
    const others = [1, 3, 4, 5, 6, 7]
    const serve = (second: Observation) => {
      // Everyone's places in an epoch of ten tasks; the second has no more than its share.
      const mine = Math.ceil(
        10 * ((sharesOf(network.ledger, spec(network.ledger)).get(2) ?? 0) / 1e6),
      )
      const well = others.flatMap((id) => Array<[number, Observation]>(6).fill([id, 'agreed']))
      allocateAfter(network, [...well, ...Array<[number, Observation]>(mine).fill([2, second])])
    }
    const shareOf2 = () => sharesOf(network.ledger, spec(network.ledger)).get(2) ?? 0
    for (let epoch = 0; epoch < 3; epoch++) serve('agreed')
    const healthy = shareOf2()
    assert(Math.abs(healthy - 4_000_000 / 7) < 60_000, `${healthy}`)
    for (let epoch = 0; epoch < 3; epoch++) serve(fault)
    assert(shareOf2() < healthy / 3, `${shareOf2()} of ${healthy}`)
    assert(shareOf2() > 0, 'a probe is left')
    for (let epoch = 0; epoch < 20; epoch++) serve('agreed')
    assert(shareOf2() > 0.9 * healthy, `${shareOf2()} of ${healthy}`)
  })

test('work: four equal operators that compete end within half a per cent of equal work', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  network.ledger = {
    ...network.ledger,
    services: network.ledger.services.set('byte', { ...spec(network.ledger), committee: 1 }),
  }
  introduce(network)
  send(network, 1, bestOf(network))
  const asked = network.task()
  network.block([asked])
  const template = taskOf(network.ledger, network.idOf(asked)) ?? assert.fail()
  const times = new Map<OperatorId, number>()
  const draws = 4_000
  for (let n = 0; n < draws; n++) {
    const id = toHex(sha256(uint64Bytes(n)))
    const ledger = { ...network.ledger, tasks: network.ledger.tasks.set(id, { ...template, id }) }
    network.ledger = drawCommittees(ledger, { height: 99, timeMs: network.timeMs })
    const [member] = taskOf(network.ledger, id)?.committee ?? []
    times.set(member?.operator ?? 0, (times.get(member?.operator ?? 0) ?? 0) + 1)
    network.ledger = { ...network.ledger, tasks: network.ledger.tasks.delete(id) }
  }
  const mean = draws / 4
  assert.equal(times.size, 4)
  for (const [id, count] of times)
    assert(Math.abs(count - mean) / mean < 0.005, `operator ${id}: ${count} of ${mean}`)
})

test('draw: tasks that need hardware go to those who have it, and to nobody else', () => {
  const network = new LedgerNetwork(7, {}, idealCrypto)
  const { ledger } = network
  network.ledger = {
    ...ledger,
    services: ledger.services.set('byte', { ...spec(ledger), requires: ['gpu'] }),
    operators: [2, 5, 6].reduce((table, id) => {
      const operator = table.get(String(id)) ?? assert.fail()
      return table.set(String(id), { ...operator, capabilities: ['gpu'] })
    }, ledger.operators),
  }
  introduce(network)
  const best = bestOf(network)
  const column = openCompetition(network.ledger)?.programme.services.indexOf('byte')
  const rows = best.start
  for (const row of [0, 2, 3, 6])
    for (const entry of best.entries.subarray(rows[row], rows[row + 1]))
      assert.notEqual(Math.floor(entry / entryScale), column)
  send(network, 1, best)
  close(network)
  for (let i = 0; i < 5; i++) {
    const task = network.task()
    network.block([task])
    network.block()
    const { committee } = taskOf(network.ledger, network.idOf(task)) ?? assert.fail()
    assert.deepEqual(committee.map(({ operator }) => operator).toSorted(), [2, 5, 6])
  }
})

test('draw: who declares no capacity is not drawn from the next allocation on, until it does', () => {
  const network = competing(7)
  const declare = (capacity: number) =>
    network.report(3, [{ kind: 'declare', declaration: { capacity, costs: [], group: '' } }])
  const shareOf = (id: OperatorId) => sharesOf(network.ledger, spec(network.ledger)).get(id)
  assert.equal(send(network, 1, bestOf(network)), 'ok')
  assert.deepEqual(reasonsOf(network.block([declare(0)])), ['ok'])
  assert((shareOf(3) ?? 0) > 0, 'it acts with the next inputs, not at once')
  close(network)
  allocateAfter(network, [])
  assert.equal(shareOf(3), undefined)
  assert.equal(sharesOf(network.ledger, spec(network.ledger)).size, 6)
  network.block([declare(100)])
  allocateAfter(network, [])
  allocateAfter(network, [])
  assert((shareOf(3) ?? 0) > 500_000, `${shareOf(3)}`)
})
