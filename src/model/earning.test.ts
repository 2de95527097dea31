import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { eachEarning, listEarning } from './earning.ts'

const number = fc.integer({ min: -3, max: 3 })
const matrix = fc
  .record({ n: fc.integer({ min: 1, max: 11 }), m: fc.integer({ min: 1, max: 6 }) })
  .chain(({ n, m }) => {
    const list = (length: number) => fc.array(number, { minLength: length, maxLength: length })
    return fc.record({ utility: list(n * m), price: list(m), least: list(n) })
  })

test('eachEarning: rows come in order, each with the tasks that earn more than its least', () =>
  fc.assert(
    fc.property(matrix, (lists) => {
      const [utility, price, least] = [lists.utility, lists.price, lists.least].map((list) =>
        Float64Array.from(list),
      ) as [Float64Array, Float64Array, Float64Array]
      const m = price.length
      const expected = lists.least.map((most, i) =>
        lists.price.flatMap((y, t) => ((utility[i * m + t] as number) - y > most ? [t] : [])),
      )
      const seen: number[][] = []
      eachEarning(utility, price, least, (i, found, from, count) => {
        assert.equal(i, seen.length)
        seen.push([...found.subarray(from, from + count)])
      })
      assert.deepEqual(seen, expected)
      const found = new Int32Array(m)
      const alone = lists.least.map((most, i) => [
        ...found.subarray(0, listEarning(utility, price, most, i, found)),
      ])
      assert.deepEqual(alone, expected)
    }),
  ))
