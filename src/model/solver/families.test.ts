import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Infeasible, solve } from '#model'
import {
  type Draft,
  type Family,
  families,
  hardSizes,
  infeasible,
  instance,
  single,
  toProgramme,
} from '../../../bench/allocation-instances.ts'
import { assertSolved } from '../../../test/support/optimal.ts'

const seeds = Array.from({ length: 20 }, (_, k) => k + 1)

/** The certificate's tasks ask for more than its operators' limits and all others' caps allow. */
function assertProof(draft: Draft, { certificate }: Infeasible, label: string): void {
  const { tasks, limits, excess } = certificate
  const inTheWay = new Set(limits.map(({ operator }) => operator))
  const sumOf = (values: Float64Array) => tasks.reduce((sum, t) => sum + (values[t] as number), 0)
  const due = sumOf(draft.demand)
  let possible = 0
  for (let i = 0; i < draft.operators; i++)
    possible += inTheWay.has(i) ? (draft.capacity[i] as number) : sumOf(draft.cap)
  assert(due > possible, `${label}: ${due} due, ${possible} possible`)
  assert(Math.abs(due - possible - excess) < 1e-6 * due, label)
}

for (const [operators, tasks] of hardSizes) {
  const size = `20 seeds of ${operators} × ${tasks}`

  for (const family of Object.keys(families) as Family[])
    test(`solve: ${family}, ${size}, within 10^-6 by an independent duality gap`, () => {
      for (const seed of seeds)
        assertSolved(instance(family, operators, tasks, seed), `seed ${seed}`)
    })

  test(`solve: demand that cannot be met is refused with a proof, ${size}`, () => {
    for (const seed of seeds) {
      const draft = infeasible(operators, tasks, seed)
      const solution = solve(toProgramme(draft))
      assert(solution.status === 'infeasible', `seed ${seed}: ${solution.status}`)
      assertProof(draft, solution, `seed ${seed}`)
    }
  })
}

for (const tasks of [100, 300])
  test(`solve: one operator and ${tasks} tasks, 20 seeds`, () => {
    for (const seed of seeds) assertSolved(single(tasks, seed), `seed ${seed}`)
  })
