import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createChance } from './chance.ts'
import { flipBit, readImage, tear, toImage } from './disk-image.ts'

const record = fc.record(
  { round: fc.nat(), value: fc.option(fc.string()) },
  { noNullPrototype: true },
)
const records = fc.array(record, { minLength: 1, maxLength: 8 })

test('disk image: with one bit changed, what is read is a beginning of what was written', () =>
  fc.assert(
    fc.property(records, fc.nat(), (written, seed) => {
      const image = toImage(written)
      flipBit(image, createChance(seed))
      const found = readImage(image, true)
      assert(found.length < written.length)
      assert.deepEqual(found, written.slice(0, found.length))
    }),
  ))

test('disk image: torn anywhere, all that was synced is read and nothing that was not written', () =>
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(), (written, some, seed) => {
      const synced = some % (written.length + 1)
      const syncedBytes = toImage(written.slice(0, synced)).length
      const found = readImage(tear(toImage(written), syncedBytes, createChance(seed)), true)
      assert(found.length >= synced)
      assert.deepEqual(found, written.slice(0, found.length))
    }),
  ))

test('disk image: without checksums a changed bit is read as if it had been written', () => {
  const written = [{ value: 'aaaa' }, { value: 'bbbb' }]
  const wrong = Array.from({ length: 40 }, (_, seed) => {
    const image = toImage(written)
    flipBit(image, createChance(seed))
    const found = readImage<(typeof written)[number]>(image, false)
    return found.some(({ value }, i) => value !== written[i]?.value)
  })
  assert(wrong.includes(true))
})
