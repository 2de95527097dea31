// A real network on one machine with an operator that is slow for a while.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runUnderLoad } from '../support/devnet-run.ts'

test('devnet: work moves away from a slow operator, and nothing is lost', () =>
  runUnderLoad(
    { operators: 5, rate: 1, seconds: 48, settleMs: 90_000, chaos: 'slow=2' },
    async ({ summary }) => {
      const shares = summary.allocations.map(({ shares: { '2': share = 0 } }) => share)
      const [first = 0] = shares
      assert(Math.abs(first - 0.2) < 0.02, `${shares}`)
      assert(Math.min(...shares) < 0.5 * first, `${shares}`)
      assert(summary.allocations.some(({ agreed, latencyMs }) => agreed > 0 && latencyMs.p99 > 0))
      assert.deepEqual([summary.lost, summary.twice], [0, 0])
    },
  ))
