import assert from 'node:assert/strict'
import { type Found, type Programme, type Solution, solve } from '#model'
import { verdictOf } from '../../bench/allocation-check.ts'
import { type Draft, toProgramme } from '../../bench/allocation-instances.ts'

/** Gap and violation that a solved programme may have, both relative. */
const tolerance = 1e-6

/** Optimal by its own word and by an independent duality gap. */
export function assertOptimal(programme: Programme, solution: Solution, label: string): Found {
  assert.equal(solution.status, 'optimal', label)
  const { gap, violation } = verdictOf(programme, solution)
  assert(gap <= tolerance, `${label}: gap ${gap}`)
  assert(violation <= tolerance, `${label}: violation ${violation}`)
  return solution
}

/** Solves an instance, and sees that it is optimal. */
export function assertSolved(draft: Draft, label: string): Found {
  const programme = toProgramme(draft)
  return assertOptimal(programme, solve(programme), label)
}
