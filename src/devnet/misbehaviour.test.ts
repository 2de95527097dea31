import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answers } from '#node'
import type { Task } from '#records'
import { delaying, isSlowAt } from './misbehaviour.ts'

test('slow: it is for a third of the run, and well before and after', () => {
  const states = [0, 19, 20, 59, 60, 119].map((s) => isSlowAt(s * 1_000, 120_000))
  assert.deepEqual(states, [false, false, true, true, false, false])
  assert.deepEqual(
    [0, 40_000, 100_000, 220_000].map((ms) => isSlowAt(ms, undefined)),
    [false, true, false, true],
  )
})

test('slow: a result that is there is told two and a half seconds later', () => {
  let nowMs = 0
  let isSlow = true
  const answers = { digestOf: () => '0x01' } as Partial<Answers> as Answers
  const { digestOf } = delaying(
    answers,
    () => isSlow,
    () => nowMs,
  )
  const task = {} as Task
  assert.equal(digestOf(task), undefined)
  nowMs = 2_499
  assert.equal(digestOf(task), undefined)
  nowMs = 2_500
  assert.equal(digestOf(task), '0x01')
  isSlow = false
  nowMs = 0
  assert.equal(digestOf(task), '0x01')
})
