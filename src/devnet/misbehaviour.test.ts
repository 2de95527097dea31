import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answers } from '#node'
import type { Task } from '#records'
import { delaying } from './misbehaviour.ts'

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
