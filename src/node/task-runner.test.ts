import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex, type Wei } from '#primitives'
import { resultDigest, type Task } from '#records'
import { ManualClock, silentLogger } from '../../test/support/manual-clock.ts'
import { type Execute, TaskRunner } from './task-runner.ts'

const taskOf = (byte: number, attempt = 1): Task => ({
  id: toHex(new Uint8Array(32).fill(byte)),
  request: {
    client: `0x${'11'.repeat(20)}`,
    service: 'byte',
    payload: new Uint8Array([byte]),
    maxFee: 1n as Wei,
    validUntilMs: 0,
    salt: toHex(new Uint8Array(32)),
  },
  status: 'committing',
  fee: 1n as Wei,
  attempt,
  acceptedHeight: 1,
  drawnHeight: 2,
  deadlineMs: 0,
  committee: [],
  result: undefined,
  agreeing: [],
  leafIndex: 0,
  reason: '',
  audit: 'none',
})

function setUp(execute: Execute) {
  const clock = new ManualClock()
  const told = { count: 0 }
  const runner = new TaskRunner({
    operator: 3,
    secret: new Uint8Array(32).fill(5),
    execute,
    onResult: () => {
      told.count += 1
    },
    clock,
    logger: silentLogger,
  })
  return { clock, told, runner }
}

/** Lets promises that are settled run on. */
const settle = () => new Promise(setImmediate)

test('task runner: executes a draw once; its digest hides result and salt', async () => {
  let calls = 0
  const { runner, told } = setUp(async (_, payload) => {
    calls += 1
    return payload
  })
  const task = taskOf(7)
  assert.equal(runner.digestOf(task), undefined)
  assert.equal(runner.resultOf(task), undefined)
  await settle()
  const digest = runner.digestOf(task)
  const known = runner.resultOf(task)
  assert(known)
  assert.deepEqual([...known.result], [7])
  assert.equal(digest, resultDigest({ task: task.id, attempt: 1, operator: 3, ...known }))
  assert.deepEqual([calls, told.count], [1, 1])
  runner.digestOf(taskOf(7, 2))
  await settle()
  assert.equal(calls, 2, 'another draw of the task is executed again')
  assert.notEqual(runner.resultOf(taskOf(7, 2))?.salt, known.salt)
})

test('task runner: a failure is tried again after growing pauses, a few times', async () => {
  const startsMs: number[] = []
  const { runner, clock, told } = setUp((): Promise<Uint8Array> => {
    startsMs.push(clock.nowMs())
    throw new Error('no feed')
  })
  runner.digestOf(taskOf(1))
  for (let i = 0; i < 40; i++) {
    await settle()
    clock.advance(100)
  }
  assert.deepEqual(
    startsMs.map((ms) => ms - (startsMs[0] ?? 0)),
    [0, 200, 600, 1400],
  )
  assert.equal(runner.digestOf(taskOf(1)), undefined)
  await settle()
  assert.deepEqual([startsMs.length, told.count, clock.waiting], [4, 0, 0])
})

test('task runner: runs so many at a time; the others are asked for again', async () => {
  const open: (() => void)[] = []
  const { runner } = setUp(
    (_, payload) => new Promise((resolve) => open.push(() => resolve(payload))),
  )
  const tasks = Array.from({ length: 40 }, (_, i) => taskOf(i))
  for (const task of tasks) runner.digestOf(task)
  assert.equal(open.length, 32)
  for (const end of open) end()
  await settle()
  for (const task of tasks) runner.digestOf(task)
  assert.equal(open.length, 40)
})

test('task runner: a result that no report can carry is a failure', async () => {
  const { runner } = setUp(async () => new Uint8Array(4097))
  runner.digestOf(taskOf(1))
  await settle()
  assert.equal(runner.digestOf(taskOf(1)), undefined)
})

test('task runner: stopped, it pauses no more and tells of nothing', async () => {
  let end = (_: Uint8Array) => {}
  const { runner, clock, told } = setUp((_, payload) =>
    payload[0] === 1
      ? Promise.reject(new Error('no feed'))
      : new Promise((resolve) => {
          end = resolve
        }),
  )
  runner.digestOf(taskOf(1))
  runner.digestOf(taskOf(2))
  await settle()
  assert.equal(clock.waiting, 1)
  runner.stop()
  end(new Uint8Array([2]))
  await settle()
  assert.deepEqual([clock.waiting, told.count], [0, 0])
  runner.digestOf(taskOf(3))
  await settle()
  assert.equal(told.count, 0)
})
