import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProgramme, type Programme, type ProgrammeParts } from '#model'
import { instance, rich } from '../../../bench/allocation-instances.ts'
import { random as seeded } from '../../../test/support/random.ts'
import { createDual, unitsAt } from './dual.ts'
import { createFrame, lookupOf, moneyScale } from './frame.ts'
import { type Context, restrict } from './point.ts'
import { sweep } from './sweep.ts'
import { createWork } from './work.ts'

test('sweep: the gradient is what its units leave of every column, whatever the limits', () => {
  for (const [name, programme] of Object.entries(programmes(30, 20)))
    for (const seed of [1, 2, 3]) {
      const { dual, y } = dualOf(programme, seed)
      // The second sweep starts from good prices of capacity, and so leaves most edges out.
      for (const round of [1, 2]) {
        sweep(dual, y)
        const left = leftBy(programme, unitsAt(dual, y), dual.edges)
        left.forEach((units, c) => {
          const off = Math.abs(units - (dual.gradient[c] as number))
          assert(off <= 1e-9 * (1 + Math.abs(units)), `${name}, ${seed}.${round}, ${c}: ${off}`)
        })
      }
    }
})

/** Every kind of limit alone beside demand: with uses of one, entries are dropped on the way. */
function programmes(operators: number, tasks: number): Record<string, Programme> {
  const { utility, congestion, demand, cap, capacity } = instance('base', operators, tasks, 1)
  const { shortfallPrice, groups, security } = rich(operators, tasks, 1)
  assert(shortfallPrice && groups && security)
  const resources = [{ name: 'capacity', capacity }]
  const plain = { operators, tasks, utility, congestion, resources, demand, cap, shortfallPrice }
  const other = { name: 'other', capacity: capacity.map((room, i) => room * (i % 2 ? 0.9 : 1.1)) }
  const parts: Record<string, ProgrammeParts> = {
    plain,
    groups: { ...plain, groups },
    security: { ...plain, security },
    'two of one': { ...plain, resources: [...resources, other] },
    'with uses': { ...plain, resources: [{ ...other, use: demand.map((d) => d / 10) }] },
  }
  return Object.fromEntries(
    Object.entries(parts).map(([name, one]) => [name, createProgramme(one)]),
  )
}

/** All pairs, at random prices of tasks. */
function dualOf(programme: Programme, seed: number) {
  const random = seeded(seed)
  const price = programme.shortfallPrice as Float64Array
  const frame = createFrame(programme, price, moneyScale(programme))
  const work = createWork(Infinity)
  const context: Context = { frame, lookup: lookupOf(programme), work }
  const y = new Float64Array(frame.columns).map((_, c) => (c < frame.tasks ? random() : 0))
  const lambda = new Float64Array(frame.capacity.length)
  const { edges } = restrict(context, { y, lambda }, Infinity)
  return { dual: createDual(frame, edges, lambda, 0, undefined, work), y }
}

/** d − served, then what is beyond security and groups, by the definitions. */
function leftBy(
  programme: Programme,
  units: Float64Array,
  edges: { readonly start: Int32Array; readonly task: Int32Array },
): number[] {
  const { operators, tasks: m, demand, security, groups } = programme
  const left = [...demand]
  const stakeUnit = security?.stake.reduce((a, b) => Math.max(a, b)) ?? 1
  if (security) left.push(...new Array<number>(m).fill(0))
  const groupAt = left.length
  for (let g = 0; g < (groups?.count ?? 0); g++)
    left.push(...[...demand].map((d, t) => d * (groups?.share[t] as number)))
  const add = (c: number, amount: number) => {
    left[c] = (left[c] as number) + amount
  }
  for (let i = 0; i < operators; i++)
    for (let e = edges.start[i] as number; e < (edges.start[i + 1] as number); e++) {
      const [t, x] = [edges.task[e] as number, units[e] as number]
      add(t, -x)
      if (security) {
        const beyond = (security.stake[i] as number) - (security.floor[t] as number)
        add(m + t, (beyond / stakeUnit) * x)
      }
      const group = groups?.of[i] ?? -1
      if (group >= 0) add(groupAt + group * m + t, -x)
    }
  return left
}
