import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadProgrammeError, createProgramme, type Fault, type ProgrammeParts } from '#model'
import { rich } from '../../bench/allocation-instances.ts'

const parts = rich(4, 3, 1)

function faultOf(change: Partial<ProgrammeParts>): Fault {
  try {
    createProgramme({ ...parts, ...change })
  } catch (error) {
    assert(error instanceof BadProgrammeError)
    assert.equal(error.code, 'BadProgramme')
    return error.details
  }
  throw new Error('nothing was thrown')
}

const replaced = (values: Float64Array, at: number, value: number): Float64Array =>
  values.map((old, e) => (e === at ? value : old))

test('createProgramme: a good programme passes as it is', () => {
  assert.equal(createProgramme(parts), parts)
})

test('createProgramme: NaN and infinities are refused with part, row and column', () => {
  for (const value of [Number.NaN, Infinity, -Infinity]) {
    const fault = faultOf({ utility: replaced(parts.utility, 7, value) })
    assert.deepEqual([fault.part, fault.row, fault.column], ['utility', 2, 1])
    assert.equal(fault.rule, 'must be finite')
  }
  const cap = faultOf({ cap: replaced(parts.cap, 5, Number.NaN) })
  assert.deepEqual([cap.part, cap.row, cap.column], ['cap', 1, 2])
})

test('createProgramme: negative limits are refused', () => {
  const [first] = parts.resources
  assert(first)
  const capacity = faultOf({
    resources: [{ ...first, capacity: replaced(first.capacity, 2, -1) }],
  })
  assert.deepEqual([capacity.part, capacity.row], ['capacity of transactions', 2])
  const demand = faultOf({ demand: replaced(parts.demand, 1, -1e-9) })
  assert.deepEqual([demand.part, demand.row, demand.column], ['demand', -1, 1])
  const congestion = faultOf({ congestion: replaced(parts.congestion, 4, -1) })
  assert.deepEqual([congestion.part, congestion.row, congestion.column], ['congestion', 1, 1])
})

test('createProgramme: shapes that do not fit and empty sets are refused', () => {
  assert.equal(faultOf({ utility: new Float64Array(11) }).part, 'utility')
  assert.equal(faultOf({ demand: new Float64Array(4) }).rule, 'must have 3 entries')
  assert.equal(faultOf({ cap: new Float64Array(4) }).rule, 'must have 3 or 12 entries')
  assert.equal(faultOf({ operators: 0 }).part, 'operators')
  assert.equal(faultOf({ tasks: 0 }).part, 'tasks')
  assert.equal(faultOf({ resources: [] }).part, 'resources')
  assert.equal(faultOf({ operators: 1.5 }).part, 'operators')
})

test('createProgramme: unknown groups and shares above one are refused', () => {
  const { groups } = parts
  assert(groups)
  const unknown = faultOf({ groups: { ...groups, of: Int32Array.of(0, 1, 4, 0) } })
  assert.deepEqual([unknown.part, unknown.row, unknown.value], ['group of operator', 2, 4])
  const share = faultOf({ groups: { ...groups, share: Float64Array.of(0.5, 0.5, 1.5) } })
  assert.deepEqual([share.part, share.column], ['group share', 2])
})

test('createProgramme: sums that are not finite are refused', () => {
  const demand = new Float64Array(3).fill(1e308)
  const { rule, column } = faultOf({ demand })
  assert.deepEqual([rule, column], ['must have a finite sum', 1], 'the entry that is too much')
})

test('BadProgrammeError: the message says part, place, rule and value', () => {
  assert.throws(
    () => createProgramme({ ...parts, utility: replaced(parts.utility, 7, Number.NaN) }),
    /utility \(operator 2, task 1\): must be finite, is NaN/,
  )
})
