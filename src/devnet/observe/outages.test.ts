import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outageFacts } from './outages.ts'

const outage = { fromMs: 10_000, toMs: 610_000 }
const seen = (...all: readonly (readonly [index: number, size: number, seenMs: number])[]) =>
  new Map(all.map(([index, size, seenMs]) => [index, { size, seenMs }]))
const certified = seen([1, 10, 9_000], [2, 20, 11_000], [3, 30, 300_000], [4, 40, 612_000])

test('outage: what was certified meanwhile is brought by one newest checkpoint', () =>
  assert.deepEqual(
    outageFacts(outage, {
      blocks: 900,
      certified,
      recorded: seen([1, 10, 10_400], [3, 30, 614_500], [4, 40, 616_000]),
    }),
    { seconds: 600, blocks: 900, certified: 2, recorded: 1, caughtUpBy: 1, caughtUpMs: 4_500 },
  ))

test('outage: an older one that comes first counts; so does that nothing ever came', () => {
  const around = { blocks: 900, certified }
  const slow = outageFacts(outage, {
    ...around,
    recorded: seen([2, 20, 612_000], [4, 40, 616_000]),
  })
  assert.deepEqual([slow.caughtUpBy, slow.caughtUpMs], [2, 6_000])
  const never = outageFacts(outage, { ...around, recorded: seen([2, 20, 612_000]) })
  assert.deepEqual([never.caughtUpBy, never.caughtUpMs], [undefined, undefined])
})
