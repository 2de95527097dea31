import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Verdict } from '#records'
import { submissionVerdict } from './submission.ts'

/** A report and a call, by the first byte of their encoding. */
const [report, call] = [new Uint8Array([1]), new Uint8Array([4])]

test('submission: what an operator says again is welcome while it waits, and nothing else', () => {
  const waits: Verdict = { ok: false, reason: 'AlreadyWaiting' }
  const verdictOf = (transaction: Uint8Array, isHeld: boolean, verdict: Verdict) =>
    submissionVerdict({ holdsTransaction: () => isHeld }, transaction, verdict)
  assert.deepEqual(verdictOf(report, true, waits), { ok: true })
  assert.deepEqual(verdictOf(report, false, waits), waits, 'others wait in its place')
  assert.deepEqual(verdictOf(call, true, waits), waits)
  for (const transaction of [report, call])
    assert.deepEqual(verdictOf(transaction, false, { ok: true }), { ok: true })
})
