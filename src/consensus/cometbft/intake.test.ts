import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { utf8 } from '#primitives'
import { type Handed, Intake } from './intake.ts'

/** Checks that end when they are told to, and what they were of. */
function heldChecks() {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const check = ({ transaction }: Handed): Promise<void> => {
    begun.push(Buffer.from(transaction).toString())
    return new Promise((resolve) => ends.push(resolve))
  }
  return { begun, ends, check }
}

const handed = (transaction: Uint8Array): Handed => ({ transaction, from: 'peer' })

const isDuty = (transaction: Uint8Array): boolean =>
  String.fromCharCode(transaction[0] ?? 0) === 'd'

const named = (count: number): string[] => Array.from({ length: count }, (_, i) => `tx ${i}`)

test('intake: checks begin in the order of arrival, a few in a turn, and so many at a time', async () => {
  const { begun, ends, check } = heldChecks()
  const intake = new Intake(check, isDuty)
  const texts = named(1_000)
  for (const text of texts) assert(intake.take(handed(utf8(text))))
  assert.equal(begun.length, 0, 'none before its turn')
  await turn()
  assert.equal(begun.length, 16)
  while (begun.length < 256) await turn()
  await turn()
  assert.equal(begun.length, 256, 'no more until one has ended')
  for (let at = 0; at < texts.length; at++) {
    while (ends[at] === undefined) await turn()
    ends[at]?.()
  }
  assert.deepEqual(begun, texts)
})

test('intake: what operators have to say takes turns with the rest, however much of either', async () => {
  const { begun, check } = heldChecks()
  const intake = new Intake(check, isDuty)
  for (const text of [...named(20), 'duty 0', 'duty 1', 'duty 2']) intake.take(handed(utf8(text)))
  await turn()
  assert.deepEqual(begun.slice(0, 7), [
    ...['duty 0', 'tx 0', 'duty 1', 'tx 1', 'duty 2', 'tx 2', 'tx 3'],
  ])
})

test('intake: what is taken is copied, and bounded in number and in bytes', async () => {
  const { begun, ends, check } = heldChecks()
  const intake = new Intake(check, isDuty)
  const shared = utf8('mine')
  intake.take(handed(shared))
  shared.set(utf8('gone'))
  await turn()
  assert.deepEqual(begun, ['mine'])
  let taken = 0
  while (intake.take(handed(utf8('x')))) taken++
  assert.equal(taken, 50_000)
  const stopped = intake.stop()
  for (const end of ends) end()
  await stopped
  assert(intake.take(handed(new Uint8Array(64 * 1024 * 1024))), 'there is room again')
  assert(!intake.take(handed(utf8('x'))))
  await intake.stop()
})

test('intake: what clients want keeps no operator out', async () => {
  const { ends, check } = heldChecks()
  const intake = new Intake(check, isDuty)
  while (intake.take(handed(utf8('tx')))) {}
  let duties = 0
  while (intake.take(handed(utf8('duty')))) duties++
  assert.equal(duties, 2_048)
  const stopped = intake.stop()
  for (const end of ends) end()
  await stopped
})

test('intake: a stop forgets what waits, and waits for what is under way', async () => {
  const { begun, ends, check } = heldChecks()
  const intake = new Intake(check, isDuty)
  for (const text of named(20)) intake.take(handed(utf8(text)))
  await turn()
  let isStopped = false
  const stopped = intake.stop().then(() => {
    isStopped = true
  })
  await turn()
  assert(!isStopped)
  for (const end of ends) end()
  await stopped
  await turn()
  assert.equal(begun.length, 16, 'nothing begins after it')
})
