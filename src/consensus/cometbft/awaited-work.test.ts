import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { utf8 } from '#primitives'
import type { Application } from '#records'
import { CometDriver } from '../../../test/support/comet-driver.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import {
  batchOf,
  blockOf,
  serve,
  socketOf,
  testGenesis,
} from '../../../test/support/served-application.ts'
import { createTracingApplication } from '../../../test/support/tracing-application.ts'
import { AwaitedWork, idleWaitMs } from './awaited-work.ts'
import { cometTimings } from './program/index.ts'

const limitMs = 500

/** A proposer with nothing to do, whose work is due when `due.ms` says. */
async function idleProposer(t: TestContext) {
  const clock = new ManualClock()
  const due: { ms: number | undefined } = { ms: undefined }
  const inner = createTracingApplication(testGenesis.validators)
  const proposed: number[] = []
  const held: { commit: Promise<void> } = { commit: Promise.resolve() }
  const application: Application = {
    ...inner,
    prepareProposal(request) {
      proposed.push(request.height)
      return inner.prepareProposal(request)
    },
    async commit() {
      await held.commit
      await inner.commit()
    },
    workDueMs: () => (inner.pool.size > 0 ? 0 : due.ms),
  }
  const patience = { clock, limitMs }
  const { server, failures } = await serve(t, application, socketOf(t), {
    mempool: 'app',
    patience,
  })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  const turn = () => comet.mempool.ask({ case: 'echo', value: {} })
  /** Asks for a proposal, and resolves once its answer waits. */
  const ask = async (height: number) => {
    let isAnswered = false
    const answer = comet.prepare(height).then((transactions) => {
      isAnswered = true
      return transactions.map((bytes) => Buffer.from(bytes).toString())
    })
    answer.catch(() => {}) // told to whoever waits
    while (clock.waiting === 0) {
      assert(!isAnswered, 'it is answered at once')
      await turn()
    }
    return { answer, isAnswered: () => isAnswered }
  }
  const decide = async (height: number, texts: readonly string[] = []) => {
    await comet.finalize(blockOf(height, texts))
    await comet.commit()
  }
  return { clock, due, inner, proposed, held, server, failures, comet, turn, ask, decide }
}

test('awaited work: what waits already is proposed at once', async (t) => {
  const { clock, due, inner, comet, decide } = await idleProposer(t)
  await inner.checkTransaction(utf8('tx'))
  assert.deepEqual((await comet.prepare(1)).length, 1)
  await decide(1, ['tx'])
  due.ms = clock.nowMs()
  assert.deepEqual(await comet.prepare(2), [])
  assert.equal(clock.waiting, 0)
})

test('awaited work: a transaction of a peer ends the wait, once it is admitted', async (t) => {
  const { clock, comet, turn, ask } = await idleProposer(t)
  const { answer, isAnswered } = await ask(1)
  const insert = (text: string) => comet.mempool.ask(batchOf(text))
  await insert('bad')
  for (let turns = 0; turns < 10; turns++) await turn()
  assert(!isAnswered(), 'what is refused is no work')
  await insert('tx')
  assert.deepEqual(await answer, ['tx'])
  assert.equal(clock.waiting, 0)
})

test('awaited work: a transaction of the gateway ends the wait', async (t) => {
  const { inner, server, ask } = await idleProposer(t)
  const { answer } = await ask(1)
  await inner.checkTransaction(utf8('tx'))
  server.relay(utf8('tx'))
  assert.deepEqual(await answer, ['tx'])
})

test('awaited work: the wait ends when something is due, and at its limit', async (t) => {
  const { clock, due, turn, ask, decide } = await idleProposer(t)
  for (const [height, waitMs, dueMs] of [
    [1, 300, clock.nowMs() + 300],
    [2, limitMs, undefined],
    [3, limitMs, clock.nowMs() + 60_000],
  ] as const) {
    due.ms = dueMs
    const { answer, isAnswered } = await ask(height)
    clock.advance(waitMs - 1)
    await turn()
    assert(!isAnswered(), `${waitMs} ms at height ${height}`)
    clock.advance(1)
    assert.deepEqual(await answer, [])
    await decide(height)
  }
})

test('awaited work: a height whose proposal has failed waits no more', async (t) => {
  const { clock, comet, ask, decide } = await idleProposer(t)
  const { answer } = await ask(1)
  clock.advance(limitMs)
  await answer
  assert.deepEqual(await comet.prepare(1), [], 'its own has failed')
  await decide(1)
  assert.equal(await comet.judge(blockOf(2)), 1)
  assert.deepEqual(await comet.prepare(2), [], 'that of a peer has failed')
  assert.equal(clock.waiting, 0)
})

test('awaited work: a close ends the wait, and nothing is proposed', async (t) => {
  const { clock, proposed, server, ask } = await idleProposer(t)
  const { answer } = await ask(1)
  const cut = assert.rejects(answer, /ended/)
  await server.close()
  await cut
  assert.deepEqual([clock.waiting, proposed], [0, []])
})

test('awaited work: a CometBFT that comes back waits for no answer to the one before', async (t) => {
  const { clock, server, failures, comet, ask } = await idleProposer(t)
  const { answer } = await ask(1)
  const cut = assert.rejects(answer, /ended/)
  await comet.kill()
  await cut
  const again = await CometDriver.connect(server.address)
  assert.equal((await again.handshake(testGenesis)).height, 0)
  assert.deepEqual([clock.waiting, failures], [0, []])
})

test('awaited work: nobody waits for who has gone before its turn came', async (t) => {
  const { clock, held, server, comet } = await idleProposer(t)
  const slow = Promise.withResolvers<void>()
  held.commit = slow.promise
  await comet.finalize(blockOf(1))
  const cut = Promise.all([comet.commit(), comet.prepare(2)].map((call) => assert.rejects(call)))
  await comet.mempool.ask({ case: 'echo', value: {} })
  await comet.kill()
  await cut
  const again = await CometDriver.connect(server.address)
  const greeted = again.handshake(testGenesis)
  await again.mempool.ask({ case: 'echo', value: {} })
  slow.resolve()
  assert.equal((await greeted).height, 1)
  assert.equal(clock.waiting, 0)
})

test('awaited work: an application that cannot say when it has work proposes at once', async (t) => {
  const workDueMs = () => {
    throw new Error('a defect')
  }
  const patience = { clock: new ManualClock(), limitMs }
  const application = { ...createTracingApplication(testGenesis.validators), workDueMs }
  const { server, failures } = await serve(t, application, socketOf(t), { patience })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  assert.deepEqual(await comet.prepare(1), [])
  assert.deepEqual(failures, [])
})

test('awaited work: the wait fits into the heartbeat and into the patience of the others', async () => {
  assert.deepEqual([idleWaitMs(cometTimings.lan), idleWaitMs(cometTimings.wan)], [500, 0])
  const times = { heartbeatMs: 1_000, commitMs: 100, proposeMs: 3_000 }
  assert.equal(idleWaitMs(times), 900)
  assert.equal(idleWaitMs({ ...times, commitMs: 2_000 }), 0)
  const clock = new ManualClock()
  await new AwaitedWork({ clock, limitMs: 0 }, () => undefined).before(1)
  assert.equal(clock.waiting, 0)
})
