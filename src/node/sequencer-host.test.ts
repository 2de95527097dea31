import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type L2, shareL2 } from './sequencer-host.ts'

const input = Uint8Array.of(1)

/** An L2 whose computation fails so many times before it answers. */
function failing(times: number) {
  let runs = 0
  const compute = async () => {
    runs += 1
    if (runs <= times) throw new Error(`failure ${runs}`)
    return Uint8Array.of(runs)
  }
  // Only its computation is asked here.
  return { l2: { compute, close: async () => {} } as Partial<L2> as L2, runs: () => runs }
}

test('shareL2: whoever asks for the same computation shares one run', async () => {
  const { l2, runs } = failing(0)
  const { compute } = shareL2(l2)
  const [first, second] = await Promise.all([compute(input), compute(input.slice())])
  assert.equal(first, second)
  assert.equal(runs(), 1)
})

test('shareL2: a computation that failed runs again for who asks later', async () => {
  const { l2, runs } = failing(1)
  const { compute } = shareL2(l2)
  const asked = [compute(input), compute(input)]
  assert.deepEqual(
    (await Promise.allSettled(asked)).map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.deepEqual(await compute(input), Uint8Array.of(2))
  assert.equal(runs(), 2)
})
