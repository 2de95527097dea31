import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '#primitives'
import { createNonceGuard } from './nonce-guard.ts'

const digest = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`

test('nonce guard: the same session again is permitted, another one never', () => {
  const guard = createNonceGuard()
  assert.equal(guard.permits(3, digest(1)), true)
  assert.equal(guard.permits(3, digest(1)), true)
  assert.equal(guard.permits(3, digest(2)), false)
  assert.equal(guard.permits(4, digest(2)), true)
  assert.equal(guard.permits(3, digest(1)), true)
})

test('nonce guard: what it has forgotten it refuses', () => {
  const guard = createNonceGuard(2)
  for (const index of [5, 6, 7]) assert.equal(guard.permits(index, digest(index)), true)
  assert.equal(guard.permits(5, digest(5)), false)
  assert.equal(guard.permits(2, digest(2)), false)
  assert.equal(guard.permits(6, digest(6)), true)
  assert.equal(guard.permits(6, digest(9)), false)
})
