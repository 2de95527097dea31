import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keccak256Hex, portableHashes, useHashes, utf8 } from '#primitives'
import { ownHashes } from './own-hashes.ts'

/** Lengths around the blocks of 64, 128 and 136 bytes, and beyond. */
const input = fc
  .tuple(fc.nat(600), fc.uint8Array({ maxLength: 40 }))
  .map(([length, noise]) => new Uint8Array([...new Uint8Array(length).fill(length), ...noise]))

test('hashes: this machine’s own are the portable ones, of parts of an array and of Buffers too', () =>
  fc.assert(
    fc.property(input, fc.nat(9), (bytes, skipped) => {
      for (const one of [bytes, bytes.subarray(skipped), Buffer.from(bytes).subarray(skipped)])
        for (const name of ['sha256', 'sha512', 'keccak256'] as const) {
          const own = ownHashes[name](one)
          assert.deepEqual(own, portableHashes[name](one))
          assert.equal(own.constructor, Uint8Array)
        }
    }),
  ))

test('hashes: a digest stays what it was when more is hashed', () => {
  for (const name of ['sha256', 'sha512', 'keccak256'] as const) {
    const first = ownHashes[name](utf8('first'))
    ownHashes[name](utf8('second'))
    assert.deepEqual(first, portableHashes[name](utf8('first')))
  }
})

test('hashes: what a process is told to use is used', () => {
  const plain = keccak256Hex(utf8('a'), utf8('b'))
  const asked: number[] = []
  useHashes({
    ...ownHashes,
    keccak256: (bytes) => {
      asked.push(bytes.length)
      return ownHashes.keccak256(bytes)
    },
  })
  assert.equal(keccak256Hex(utf8('a'), utf8('b')), plain)
  useHashes(portableHashes)
  assert.equal(keccak256Hex(utf8('a'), utf8('b')), plain)
  assert.deepEqual(asked, [2])
})
