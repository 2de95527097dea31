import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seal, unseal } from './sealed-file.ts'

const bytes = fc.uint8Array({ maxLength: 80 })

test('sealed file: heading and body come apart as they were put together', () =>
  fc.assert(
    fc.property(bytes, (body) =>
      assert.deepEqual(unseal(seal('Some file 1', body)), { heading: 'Some file 1', body }),
    ),
  ))

test('sealed file: a flipped or missing byte shows in the heading or the checksum', () =>
  fc.assert(
    fc.property(bytes, fc.nat(), (body, at) => {
      const sealed = seal('Some file 1', body)
      const place = at % sealed.length
      const flipped = Uint8Array.from(sealed)
      flipped[place] = (flipped[place] ?? 0) ^ 1
      for (const damaged of [flipped, sealed.subarray(0, place)]) {
        const found = unseal(damaged)
        assert(found.heading !== 'Some file 1' || found.body === undefined)
      }
    }),
  ))

test('sealed file: what is none has no heading', () =>
  assert.deepEqual(unseal(new Uint8Array()), { heading: '', body: undefined }))
