import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  divWadDown,
  isMoreThanOneThird,
  isMoreThanTwoThirds,
  mulWad,
  mulWadDown,
  oneWad,
  wad,
  wadFromBps,
  wei,
} from './index.ts'

const amount = fc.bigInt({ min: 0n, max: 10n ** 30n })

test('units: a share of an amount never exceeds it, and its parts never exceed the whole', () =>
  fc.assert(
    fc.property(amount, fc.integer({ min: 0, max: 10_000 }), (value, bps) => {
      const part = mulWadDown(wei(value), wadFromBps(bps))
      const rest = mulWadDown(wei(value), wad(oneWad - wadFromBps(bps)))
      assert(part + rest <= value && value - part - rest <= 1n)
    }),
  ))

test('units: a quotient times its divisor is at most what was divided', () =>
  fc.assert(
    fc.property(amount, fc.bigInt({ min: 1n, max: 10n ** 30n }), (part, whole) => {
      const fraction = divWadDown(part, whole)
      assert(fraction * whole <= part * oneWad && (fraction + 1n) * whole > part * oneWad)
    }),
  ))

test('units: products of fractions round down', () => {
  assert.equal(mulWad(wad(oneWad / 2n), wad(oneWad / 2n)), oneWad / 4n)
  assert.equal(mulWad(wad(1n), wad(oneWad - 1n)), 0n)
})

test('units: negative amounts and fractions, and a whole of zero, are defects', () => {
  assert.throws(() => wei(-1n), /defect/)
  assert.throws(() => mulWadDown(wei(5n), wad(-1n)), /defect/)
  assert.throws(() => mulWad(wad(-1n), oneWad), /defect/)
  assert.throws(() => divWadDown(-1n, 3n), /defect/)
  assert.throws(() => divWadDown(1n, 0n), /defect/)
})

test('units: exactly two thirds or one third is not more than it', () => {
  assert.deepEqual([isMoreThanTwoThirds(2n, 3n), isMoreThanTwoThirds(3n, 4n)], [false, true])
  assert.deepEqual([isMoreThanOneThird(1n, 3n), isMoreThanOneThird(2n, 5n)], [false, true])
})
