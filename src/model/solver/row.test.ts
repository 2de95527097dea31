import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRowBuffer, solveRow } from './row.ts'
import { createWork } from './work.ts'

const entry = fc.record({
  margin: fc.double({ min: 1e-9, max: 10, noNaN: true }),
  use: fc.oneof(
    { weight: 3, arbitrary: fc.constant(1) },
    fc.constant(0),
    fc.double({ min: 0.1, max: 3, noNaN: true }),
  ),
  congestion: fc.double({ min: 1e-6, max: 10, noNaN: true }),
  cap: fc.double({ min: 0, max: 5, noNaN: true }),
})

test('solveRow: the load at the price is the room, or below it at price zero', () =>
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 20 }),
      fc.double({ min: 1e-3, max: 20, noNaN: true }),
      fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 1, noNaN: true })),
      fc.double({ min: 0, max: 20, noNaN: true }),
      (entries, capacity, kappa, guess) => {
        const buffer = createRowBuffer(
          entries.length,
          1,
          entries.every(({ use }) => use === 1),
          createWork(Infinity),
        )
        entries.forEach(({ margin, use, congestion, cap }, t) => {
          buffer.margin[t] = margin
          buffer.use[t] = use
          buffer.inverse[t] = 1 / congestion
          buffer.cap[t] = cap
        })
        const price = solveRow(buffer, entries.length, capacity, kappa, guess)
        const load = (at: number) =>
          entries.reduce((sum, { margin, use, congestion, cap }) => {
            const x = (margin - use * at) / congestion
            return sum + use * Math.min(Math.max(x, 0), cap)
          }, 0)
        const room = kappa > 0 ? Math.min(price / kappa, capacity) : capacity
        // The load is steep: an error of the price in the last digit counts a / q² of it.
        const steep = entries.reduce((sum, { use, congestion }) => sum + use ** 2 / congestion, 0)
        const noise = 1e-9 + 1e-14 * steep * (1 + price)
        assert(load(price) <= room + noise, `${load(price)} over ${room}`)
        if (price > 0) assert(load(price) >= room - noise, `${load(price)} under ${room}`)
      },
    ),
    { numRuns: 500 },
  ))
