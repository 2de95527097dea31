// A real network on one machine with an operator that is slow for a while.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Observer } from '#devnet'
import { runUnderLoad, type Seen } from '../support/devnet-run.ts'

test('devnet: work moves away from a slow operator, and nothing is lost', () =>
  runUnderLoad(
    { operators: 5, rate: 1, chaos: 'slow=2', for: '48s', until: hasMovedAway },
    async ({ summary }) => {
      const shares = sharesOf(summary.allocations)
      assert(Math.abs((shares[0] ?? 0) - 0.2) < 0.02, `${shares}`)
      assert(isHalved(shares), `${shares}`)
      assert(summary.allocations.some(({ agreed, latencyMs }) => agreed > 0 && latencyMs.p99 > 0))
      assert.deepEqual([summary.lost, summary.twice], [0, 0])
    },
  ))

/** Keeps the operator slow, once it has become so, until its work has moved away. */
function hasMovedAway({ devnet: { slowness }, observer }: Seen): boolean {
  if (slowness.first()) slowness.set(true)
  return isHalved(sharesOf(observer.allocations()))
}

/** The slow operator's share of all work, epoch by epoch. */
const sharesOf = (allocations: ReturnType<Observer['allocations']>): readonly number[] =>
  allocations.map(({ shares: { '2': share = 0 } }) => share)

const isHalved = ([first = 0, ...later]: readonly number[]): boolean =>
  later.some((share) => share < 0.5 * first)
