import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dualValue, fromDense, primalValue } from '#model'
import { judgeAllocation, programmeFault } from '#protocol'
import {
  type AllocationProgramme,
  type AllocationProposal,
  allocationProposalCodec,
  decode,
  encode,
  entryScale,
  micro,
} from '#records'
import { testProgramme } from '../../test/support/allocation-programme.ts'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { createAllocator, proposeAllocation, toModel } from './allocator.ts'

const tolerancePpm = 100

const solved = (programme: AllocationProgramme): AllocationProposal => {
  assert.equal(programmeFault(programme), undefined)
  return proposeAllocation(1, programme) ?? assert.fail('stalled')
}

const shapes = fc.record({
  operators: fc.integer({ min: 1, max: 12 }),
  services: fc.integer({ min: 1, max: 6 }),
  seed: fc.nat(1_000_000),
  isEqual: fc.boolean(),
  slack: fc.constantFrom(0, 0.8, 1.02, 1.5),
  groups: fc.constantFrom(0, 2),
  isSecured: fc.boolean(),
})

test('allocator: what the float solver finds is verified in integers, whatever the limits', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const programme = testProgramme(shape)
      const judged = judgeAllocation(programme, solved(programme), tolerancePpm)
      assert(judged.ok, judged.ok ? '' : `${judged.reason}: ${judged.detail}`)
      assert(judged.bound >= judged.objective)
    }),
    { numRuns: 60 },
  )
})

test('allocator: the integer law and the float model agree on objective and bound', () => {
  fc.assert(
    fc.property(shapes, (shape) => {
      const programme = testProgramme(shape)
      const proposal = solved(programme)
      const judged = judgeAllocation(programme, proposal, tolerancePpm)
      assert(judged.ok)
      const { objective, bound } = inFloats(programme, proposal)
      const scale = 1 + Math.abs(objective)
      assert(Math.abs(Number(judged.objective) / 2e18 - objective) < 1e-9 * scale)
      const above = Number(judged.bound) / 2e18 - bound
      assert(above > -1e-9 * scale && above < 1e-6 * scale + roundedUp(programme))
    }),
    { numRuns: 60 },
  )
})

/** The law rounds what stake is worth to each pair up, by at most a millionth a job. */
const roundedUp = ({ operators, jobs, stakeFloor }: AllocationProgramme): number =>
  jobs.reduce((sum, count, t) => sum + (stakeFloor[t] ? count * operators.length : 0), 0) / micro

/** The model's own values of a proposal, by its float code. */
function inFloats(programme: AllocationProgramme, proposal: AllocationProposal) {
  const parts = toModel(programme)
  const { operators, services, jobs, groups } = programme
  const m = services.length
  const dense = new Float64Array(operators.length * m)
  for (const row of operators.keys())
    for (const entry of proposal.entries.subarray(proposal.start[row], proposal.start[row + 1]))
      dense[row * m + Math.floor(entry / entryScale)] = (entry % entryScale) / micro
  const perJob = (prices: Int32Array) =>
    Float64Array.from(prices, (price, at) => (price / micro) * (jobs[at % m] as number))
  const bound = dualValue(parts, {
    capacity: Float64Array.from(proposal.capacityPrice, (price) => price / micro),
    demand: perJob(proposal.demandPrice),
    security: perJob(proposal.stakePrice),
    group: groups > 0 ? perJob(proposal.groupPrice) : new Float64Array(),
  })
  const shortfall = Float64Array.from(proposal.shortfall, (missing) => missing / micro)
  const { objective } = primalValue(parts, fromDense(dense, m), shortfall)
  return { objective, bound }
}

test('allocator: one unit more or less than the limits allow is never taken', () => {
  const oneUnit = fc.tuple(shapes, fc.nat(), fc.constantFrom(-1, 1))
  fc.assert(
    fc.property(oneUnit, ([shape, pick, change]) => {
      const programme = testProgramme(shape)
      const good = solved(programme)
      fc.pre(good.entries.length > 0)
      const entries = good.entries.slice()
      const at = pick % entries.length
      entries[at] = (entries[at] as number) + change
      const judged = judgeAllocation(programme, { ...good, entries }, tolerancePpm)
      assert(!judged.ok, 'a place does not appear or vanish')
    }),
    { numRuns: 60 },
  )
})

test('allocator: a price of the wrong sign, or one that proves nothing, is never taken', () => {
  const programme = testProgramme({ operators: 6, services: 3, seed: 5, slack: 1.02, groups: 2 })
  const good = solved(programme)
  const wrong = (change: Partial<AllocationProposal>, reason: string) => {
    const judged = judgeAllocation(programme, { ...good, ...change }, tolerancePpm)
    assert(!judged.ok)
    assert.equal(judged.reason, reason)
  }
  const first = (values: Int32Array, value: number) => values.with(0, value)
  for (const name of ['capacityPrice', 'stakePrice', 'groupPrice'] as const)
    wrong({ [name]: first(good[name], -1) }, 'AllocationPrice')
  const tooLow = -(programme.shortfallPrice[0] as number) - 1
  wrong({ demandPrice: first(good.demandPrice, tooLow) }, 'AllocationPrice')
  wrong({ demandPrice: first(good.demandPrice, 2 ** 24 + 1) }, 'AllocationPrice')
  wrong({ demandPrice: good.demandPrice.map((price) => price + 100_000) }, 'AllocationGap')
  wrong({ demandPrice: good.demandPrice.map((price) => price - 100_000) }, 'AllocationGap')
})

test('allocator: any prices with the right signs bound every feasible allocation from above', () => {
  const prices = fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 40, maxLength: 40 })
  fc.assert(
    fc.property(shapes, prices, (shape, drawn) => {
      const programme = testProgramme(shape)
      const good = solved(programme)
      const other = (values: Int32Array) => values.map((_, at) => drawn[at % 40] as number)
      const proposal = {
        ...good,
        capacityPrice: other(good.capacityPrice),
        demandPrice: other(good.demandPrice),
        stakePrice: other(good.stakePrice),
        groupPrice: other(good.groupPrice),
      }
      const judged = judgeAllocation(programme, proposal, 2 ** 40)
      const best = judgeAllocation(programme, good, tolerancePpm)
      assert(judged.ok, 'bound')
      assert(best.ok, best.ok ? '' : best.detail)
      assert(judged.bound >= best.objective)
    }),
    { numRuns: 60 },
  )
})

test('allocator: equal operators get equal shares, to a millionth', () => {
  const programme = testProgramme({ operators: 4, services: 2, seed: 3, isEqual: true })
  const { entries, start } = solved(programme)
  const rows = [0, 1, 2, 3].map((row) =>
    [...entries.subarray(start[row], start[row + 1])].map((entry) => entry % entryScale),
  )
  for (const row of rows)
    for (const [t, share] of row.entries())
      assert(Math.abs(share - (rows[0]?.[t] ?? 0)) <= 1, `${share}`)
})

test('allocator: a proposal survives its bytes', () => {
  const good = solved(testProgramme({ operators: 5, services: 2, seed: 8 }))
  const bytes = encode(allocationProposalCodec, good)
  assert.deepEqual(decode(allocationProposalCodec, bytes), good)
})

test('allocator: a thread solves, once an epoch, and the loop goes on meanwhile', async () => {
  const programme = testProgramme({ operators: 40, services: 20, seed: 2, slack: 1.02 })
  let onReady = () => {}
  const { allocationOf, stop } = createAllocator(silentLogger, () => onReady())
  const solve = (epoch: number) =>
    new Promise<void>((resolve) => {
      onReady = resolve
      assert.equal(allocationOf({ epoch, programme }), undefined, 'not there yet')
    })
  assert.equal(allocationOf({ epoch: 1, programme }), undefined, 'to be given up for the next')
  for (const epoch of [2, 3]) {
    await solve(epoch)
    assert.deepEqual(allocationOf({ epoch, programme }), proposeAllocation(epoch, programme))
    assert.equal(allocationOf({ epoch: epoch - 1, programme }), undefined)
  }
  stop()
  assert.equal(allocationOf({ epoch: 4, programme }), undefined)
})

test('allocator: a programme that cannot be ends the thread, not the operator', async () => {
  const programme = testProgramme({ operators: 3, services: 2, seed: 1 })
  const failed = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<void>()
  const logger = { ...silentLogger, error: () => failed.resolve() }
  const { allocationOf, stop } = createAllocator(logger, ready.resolve)
  allocationOf({ epoch: 1, programme: { ...programme, utility: new Int32Array(1) } })
  await failed.promise
  allocationOf({ epoch: 2, programme })
  await ready.promise
  assert(allocationOf({ epoch: 2, programme }))
  stop()
})

test('allocator: where nobody has a stake, a class that asks for one is left undone', () => {
  const shape = { operators: 1, services: 1, seed: 91812, slack: 0.5, isSecured: true }
  const programme = testProgramme(shape)
  assert.deepEqual([...programme.stake], [0])
  const proposal = solved(programme)
  assert.deepEqual([...proposal.entries], [])
  assert(judgeAllocation(programme, proposal, tolerancePpm).ok)
})

test('allocator: stake that a class asks for is held to the unit', () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const programme = testProgramme({ operators: 8, services: 3, seed, isSecured: true })
    const judged = judgeAllocation(programme, solved(programme), tolerancePpm)
    assert(judged.ok, judged.ok ? '' : judged.detail)
    const stricter = { ...programme, stakeFloor: programme.stakeFloor.map(() => micro) }
    const refused = judgeAllocation(stricter, solved(programme), tolerancePpm)
    assert.equal(!refused.ok && refused.reason, 'AllocationInfeasible')
  }
})
