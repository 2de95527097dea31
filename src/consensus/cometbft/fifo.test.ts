import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fifo } from './fifo.ts'

test('fifo: what is taken is what was added, in order, however adding and taking mix', () =>
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(), fc.constant('take' as const))), (steps) => {
      const fifo = new Fifo<number>()
      const plain: number[] = []
      for (const step of steps) {
        if (step === 'take') assert.equal(fifo.take(), plain.shift())
        else {
          fifo.add(step)
          plain.push(step)
        }
        assert.deepEqual([fifo.size, fifo.first], [plain.length, plain[0]])
      }
    }),
  ))
