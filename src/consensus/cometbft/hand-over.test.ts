import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../test/support/manual-clock.ts'
import { HandOver } from './hand-over.ts'

/** A node that takes requests one by one, when it is told to. */
function slowNode() {
  const batches: string[][] = []
  let answer = Promise.withResolvers<void>()
  return {
    batches,
    broadcast: (transactions: readonly Uint8Array[]) => {
      batches.push(transactions.map((one) => Buffer.from(one).toString()))
      return answer.promise
    },
    /** Lets the request in hand end, and what follows from it happen. */
    async answer(error?: Error) {
      const { resolve, reject } = answer
      answer = Promise.withResolvers<void>()
      if (error) reject(error)
      else resolve()
      await new Promise((done) => setImmediate(done))
    },
  }
}

const turn = () => new Promise((done) => setImmediate(done))
const named = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `tx ${from + i}`)

test('hand-over: what comes together goes together, in order, one request at a time', async () => {
  const node = slowNode()
  const handOver = new HandOver(node, silentLogger)
  for (const name of named(0, 3)) handOver.add(Buffer.from(name))
  await turn()
  for (const name of named(3, 5)) handOver.add(Buffer.from(name))
  assert.deepEqual(node.batches, [named(0, 3)])
  await node.answer()
  assert.deepEqual(node.batches, [named(0, 3), named(3, 5)])
  await node.answer()
})

test('hand-over: a request has its bounds, and one that fails does not stop the next', async () => {
  const node = slowNode()
  const handOver = new HandOver(node, silentLogger)
  for (const name of named(0, 1_200)) handOver.add(Buffer.from(name))
  const large = 'x'.repeat(3 * 1024 * 1024)
  handOver.add(Buffer.from(large))
  handOver.add(Buffer.from('last'))
  await turn()
  await node.answer(new Error('not there'))
  for (let i = 0; i < 4; i++) await node.answer()
  assert.deepEqual(
    node.batches.map((batch) => batch.length),
    [500, 500, 200, 1, 1],
  )
  assert.deepEqual(node.batches.flat(), [...named(0, 1_200), large, 'last'])
})
