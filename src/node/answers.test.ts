import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Hex, toHex } from '#primitives'
import { type L1View, maxL1Events } from '#records'
import { ManualClock, silentLogger } from '../../test/support/manual-clock.ts'
import { honestAnswers } from './answers.ts'
import { TaskRunner } from './task-runner.ts'

const digestAfter = (events: number): Hex => toHex(new Uint8Array(32).fill(events))

/** An operator whose listener has seen so many events. */
function operatorThatSaw(events: number, seen: Partial<L1View> = {}) {
  const digests = Array.from({ length: events + 1 }, (_, count) => digestAfter(count))
  const view = { block: 9, events, digest: digestAfter(events), fork: false, ...seen }
  const runner = new TaskRunner({
    operator: 1,
    secret: new Uint8Array(32),
    execute: async (_, payload) => payload,
    onResult: () => {},
    clock: new ManualClock(),
    logger: silentLogger,
  })
  return honestAnswers({
    allocationOf: () => undefined,
    runner,
    signer: { nonces: () => [], shareOf: () => undefined },
    history: { view: () => view, digestAt: (count) => digests[count] },
  })
}

test('answers: the view is all that the operator has seen', () => {
  const { viewAfter } = operatorThatSaw(3)
  const view = { block: 9, events: 3, digest: digestAfter(3), fork: false }
  assert.deepEqual(viewAfter(1, digestAfter(1)), view)
})

test('answers: of a long history, no more than one transaction can bring', () => {
  const events = 2 + maxL1Events
  const { viewAfter } = operatorThatSaw(200)
  const view = { block: 9, events, digest: digestAfter(events), fork: false }
  assert.deepEqual(viewAfter(2, digestAfter(2)), view)
})

test('answers: an L1 that contradicts what was agreed is a fork; one that is behind is none', () => {
  const { viewAfter } = operatorThatSaw(3)
  assert.equal(viewAfter(2, digestAfter(9)).fork, true)
  const behind = viewAfter(5, digestAfter(9))
  assert.deepEqual([behind.fork, behind.events], [false, 3])
  assert.equal(operatorThatSaw(3, { fork: true }).viewAfter(1, digestAfter(1)).fork, true)
})
