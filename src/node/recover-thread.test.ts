import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { sha256, uint64Bytes, utf8 } from '#primitives'
import { silentLogger } from '../../test/support/manual-clock.ts'
import { loadSecp256k1 } from './recover.ts'
import { RecoverThread, type RecoverThreadOptions } from './recover-thread.ts'

const { recover, sign } = loadSecp256k1()

/** Signed by one key after another; every third by nobody. */
const signedDigests = Array.from({ length: 600 }, (_, place) => {
  const digest = sha256(utf8('digest'), uint64Bytes(place))
  const signature = sign(digest, sha256(utf8('secret'), uint64Bytes(place)))
  const isNobodys = place % 3 === 0
  return {
    digest,
    signature: isNobodys ? new Uint8Array(64).fill(255) : signature.slice(0, 64),
    recovery: (signature[64] as number) - 27,
  }
})
const keys = signedDigests.map(({ digest, signature, recovery }) =>
  recover(digest, signature, recovery),
)

/** A client on a clock of the test's, and how often it has recovered here. */
function counted(options: Partial<RecoverThreadOptions> = {}) {
  const counts = { here: 0, threads: 0 }
  let nowMs = 0
  let thread: Worker | undefined
  const client = new RecoverThread({
    recover: (...question) => {
      counts.here++
      nowMs += 1
      return recover(...question)
    },
    nowMs: () => nowMs,
    logger: silentLogger,
    ...options,
    startThread: () => {
      counts.threads++
      thread = (options.startThread ?? startThread)()
      return thread
    },
  })
  const pass = (ms: number) => {
    nowMs += ms
  }
  return { client, counts, pass, thread: () => thread }
}

const startThread = () => new Worker(new URL('./recover-worker.ts', import.meta.url))

test('recover thread: a few keys are recovered here, and no thread is started', async (t) => {
  const { client, counts, pass } = counted()
  t.after(() => client.stop())
  for (const [place, signed] of signedDigests.slice(0, 100).entries()) {
    pass(10)
    assert.deepEqual(await client.recover(signed), keys[place])
  }
  assert.deepEqual(counts, { here: 100, threads: 0 })
})

test('recover thread: many are recovered there, each as it is here, in their order', async (t) => {
  const { client, counts, pass, thread } = counted()
  t.after(() => client.stop())
  const first = await Promise.all(signedDigests.map((signed) => client.recover(signed)))
  assert.deepEqual(first, keys, 'here until the thread is ready')
  assert.deepEqual(counts, { here: 600, threads: 1 })
  const started = thread()
  assert(started)
  await once(started, 'message')
  const order: number[] = []
  const there = signedDigests.map(async (signed, place) => {
    const key = await client.recover(signed)
    order.push(place)
    return key
  })
  assert.deepEqual(await Promise.all(there), keys)
  assert.deepEqual(order, [...keys.keys()])
  assert.deepEqual(counts, { here: 600, threads: 1 })
  pass(100_000)
  assert.deepEqual(await client.recover(signedDigests[1] as never), keys[1])
  assert.equal(counts.here, 601, 'here again, since there is time')
})

/** A thread that says that it is ready, and does this at the first question. */
const threadThat = (does: string) => () =>
  new Worker(
    `const { parentPort } = require('node:worker_threads')
     parentPort.on('message', () => { ${does} })
     parentPort.postMessage('ready')`,
    { eval: true },
  )

test('recover thread: when it fails, exits or is ended, its questions are answered here', async () => {
  for (const [how, does] of [
    ['fails', "throw new Error('a defect')"],
    ['exits', 'process.exit(0)'],
    ['is ended', ''],
  ] as const) {
    const { client, counts, thread } = counted({ startThread: threadThat(does) })
    await Promise.all(signedDigests.map((signed) => client.recover(signed)))
    const started = thread()
    assert(started)
    started.ref()
    await once(started, 'message')
    const gone = new Promise((resolve) => started.once('exit', resolve))
    const there = Promise.all(signedDigests.map((signed) => client.recover(signed)))
    if (how === 'is ended') client.stop()
    await gone
    const still = setImmediate('still asked')
    assert.deepEqual(await Promise.race([there, still]), keys, how)
    assert.deepEqual(await client.recover(signedDigests[2] as never), keys[2])
    assert.deepEqual(counts, { here: 1_201, threads: 1 })
  }
})

test('recover thread: where none can be started, all is recovered here', async () => {
  const { client, counts } = counted({
    startThread: () => {
      throw new Error('no more threads')
    },
  })
  const found = await Promise.all(signedDigests.map((signed) => client.recover(signed)))
  assert.deepEqual(found, keys)
  assert.deepEqual(counts, { here: 600, threads: 1 })
})
