import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AllocationProgramme, type AllocationProposal, micro } from '#records'
import { judgeAllocation } from './judge.ts'

/** Two operators and one class of one place; each limit is tried by itself. */
const programme: AllocationProgramme = {
  operators: [1, 2],
  services: ['byte'],
  jobs: Int32Array.of(1),
  seats: Int32Array.of(1),
  utility: Int32Array.of(micro, micro),
  cap: Int32Array.of(micro, micro),
  congestion: Int32Array.of(0),
  shortfallPrice: Int32Array.of(micro),
  capacity: Int32Array.of(1, 1),
  use: Int32Array.of(1),
  stake: Int32Array.of(0, 0),
  stakeFloor: Int32Array.of(0),
  group: Int32Array.of(-1, -1),
  groups: 0,
  groupShare: Int32Array.of(micro),
}

/** What the two do, and what nobody does, without prices: only the limits count here. */
const proposal = (
  groups: number,
  first: number,
  second: number,
  missed = 0,
): AllocationProposal => {
  const shares = [first, second]
  return {
    epoch: 1,
    start: Int32Array.of(0, first > 0 ? 1 : 0, shares.filter((share) => share > 0).length),
    entries: Int32Array.from(shares.filter((share) => share > 0)),
    shortfall: Int32Array.of(missed),
    capacityPrice: new Int32Array(2),
    demandPrice: new Int32Array(1),
    stakePrice: new Int32Array(1),
    groupPrice: new Int32Array(groups),
  }
}

const part = 400_000
const rest = micro - part

const limits: readonly (readonly [
  name: string,
  change: Partial<AllocationProgramme>,
  good: readonly number[],
  oneUnitOff: readonly number[],
])[] = [
  ['capacity', { capacity: Int32Array.of(1, 0) }, [micro, 0], [micro - 1, 1]],
  ['cap', { cap: Int32Array.of(part, micro) }, [part, rest], [part + 1, rest - 1]],
  [
    'group',
    { group: Int32Array.of(0, -1), groups: 1, groupShare: Int32Array.of(part) },
    [part, rest],
    [part + 1, rest - 1],
  ],
  [
    'stake',
    { stake: Int32Array.of(micro, 0), stakeFloor: Int32Array.of(part) },
    [part, rest],
    [part - 1, rest + 1],
  ],
  ['demand, too much', {}, [part, rest], [part, rest + 1]],
  ['demand, too little', {}, [part, rest - 1, 1], [part, rest - 1]],
  ['shortfall', {}, [part, rest], [part, rest + 1, -1]],
]

for (const [name, change, good, oneUnitOff] of limits)
  test(`judgeAllocation: ${name}: a millionth of a place beyond it is refused`, () => {
    const tried = { ...programme, ...change }
    const judge = ([first = 0, second = 0, missed = 0]: readonly number[]) =>
      judgeAllocation(tried, proposal(tried.groups, first, second, missed), 10 * micro)
    const fits = judge(good)
    assert(fits.ok, fits.ok ? '' : fits.detail)
    const refused = judge(oneUnitOff)
    assert.equal(!refused.ok && refused.reason, 'AllocationInfeasible')
  })
