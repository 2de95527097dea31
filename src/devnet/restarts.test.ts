import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as settle } from 'node:timers/promises'
import { ManualClock, silentLogger } from '../../test/support/manual-clock.ts'
import { startRestarts } from './restarts.ts'

/** Restarts that are recorded; `failing` is the step that cannot be done. */
function restarting(failing?: 'stop' | 'start') {
  const clock = new ManualClock()
  const steps: string[] = []
  const failures: unknown[] = []
  const step = (name: 'stop' | 'start') => async () => {
    steps.push(name)
    if (name === failing) throw new Error(`cannot ${name}`)
  }
  const devnet = { stopOperator: step('stop'), startOperator: step('start') }
  const onFailure = (error: unknown) => failures.push(String(error))
  const end = startRestarts(devnet, 4, { clock, logger: silentLogger, onFailure })
  const advance = async (byMs: number) => {
    clock.advance(byMs)
    await settle()
  }
  return { clock, steps, failures, end, advance }
}

test('restarts: an operator that cannot be started is told at once, and ending stays possible', async () => {
  const { clock, steps, failures, end, advance } = restarting('start')
  await advance(4_000)
  await advance(3_000)
  assert.deepEqual(failures, ['Error: cannot start'])
  await advance(60_000)
  await end()
  assert.deepEqual([steps, failures.length], [['stop', 'start'], 1])
  assert.equal(clock.waiting, 0)
})

test('restarts: an operator that cannot be stopped is told at once', async () => {
  const { failures, end, advance } = restarting('stop')
  await advance(4_000)
  assert.deepEqual(failures, ['Error: cannot stop'])
  await end()
})

test('restarts: ending while the operator is down brings it up, and leaves no timer', async () => {
  const { clock, steps, failures, end, advance } = restarting()
  await advance(4_000)
  await end()
  assert.deepEqual([steps, failures], [['stop', 'start'], []])
  assert.equal(clock.waiting, 0)
})

test('restarts: ending while the operator runs leaves it alone, and leaves no timer', async () => {
  const { clock, steps, end, advance } = restarting()
  await advance(4_000)
  await advance(3_000)
  await end()
  assert.deepEqual(steps, ['stop', 'start'])
  assert.equal(clock.waiting, 0)
})
