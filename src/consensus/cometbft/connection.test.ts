import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#primitives'
import { AbciClient, questionFrame } from '../../../test/support/abci-client.ts'
import { CometDriver } from '../../../test/support/comet-driver.ts'
import {
  batchOf,
  blockOf,
  serve,
  socketOf,
  testGenesis,
  testValidators,
} from '../../../test/support/served-application.ts'
import { createTracingApplication } from '../../../test/support/tracing-application.ts'
import { CheckTxType } from './messages/abci_pb.ts'

const application = () => createTracingApplication(testValidators)
const check = (text: string) => ({ case: 'checkTx' as const, value: { tx: utf8(text) } })

test('connection: answers come in the order of the questions, whichever is ready first', async (t) => {
  const slow = Promise.withResolvers<void>()
  const inner = application()
  const { server } = await serve(t, {
    ...inner,
    async checkTransaction(bytes) {
      if (bytes[0] === 'a'.charCodeAt(0)) await slow.promise
      return inner.checkTransaction(bytes)
    },
  })
  const client = await AbciClient.connect(server.address)
  const order: string[] = []
  const asked = ['a', 'b', 'bad'].map((text) =>
    client.ask(check(text)).then(({ code }) => order.push(`${text} ${code}`)),
  )
  const flushed = client.ask({ case: 'flush', value: {} }).then(() => order.push('flush'))
  const other = await AbciClient.connect(server.address)
  assert.equal((await other.ask(check('c'))).code, 0)
  assert.deepEqual(order, [], 'the others wait for the first')
  slow.resolve()
  await Promise.all([...asked, flushed])
  assert.deepEqual(order, ['a 0', 'b 0', 'bad 1', 'flush'])
})

test('connection: thousands of transactions, some hundreds at once, are all judged, in order', async (t) => {
  const inner = application()
  const { server } = await serve(t, inner)
  const client = await AbciClient.connect(server.address)
  const codes: (number | undefined)[] = []
  const isBad = (place: number) => place % 7 === 0
  for (let start = 0; start < 10_000; start += 1_000) {
    const texts = Array.from(
      { length: 1_000 },
      (_, i) => `${isBad(start + i) ? 'bad' : 'tx'} ${start + i}`,
    )
    const answers = await Promise.all(texts.map((text) => client.ask(check(text))))
    codes.push(...answers.map(({ code }) => code))
  }
  assert.deepEqual(
    codes,
    codes.map((_, place) => (isBad(place) ? 1 : 0)),
  )
  assert.equal(inner.pool.size, codes.filter((code) => code === 0).length)
})

/** Many questions in one piece. */
const flood = (count: number): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, (_, i) => questionFrame(check(`tx ${i}`))))

/** An application that judges no new transaction before it is told to. */
function slowApplication() {
  const [slow, read] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const inner = application()
  const taken: string[] = []
  return {
    ...{ inner, taken, judge: slow.resolve },
    /** Resolves when everything before a `recheck` was read. */
    read: read.promise,
    application: {
      ...inner,
      async checkTransaction(bytes: Uint8Array) {
        taken.push(Buffer.from(bytes).toString())
        await slow.promise
        return inner.checkTransaction(bytes)
      },
      holdsTransaction(bytes: Uint8Array) {
        read.resolve()
        return inner.holdsTransaction(bytes)
      },
    },
  }
}

const recheck = (text: string) => ({
  case: 'checkTx' as const,
  value: { tx: utf8(text), type: CheckTxType.RECHECK },
})

test('connection: a flood is read to its end, and what cannot be checked is refused', async (t) => {
  const { application, inner, taken, read, judge } = slowApplication()
  const { server } = await serve(t, application)
  const client = await AbciClient.connect(server.address)
  const texts = Array.from({ length: 20_000 }, (_, i) => `tx ${i}`)
  const answers = texts.map((text) => client.ask(check(text)))
  const again = client.ask(recheck('from the gateway'))
  await read // nothing is judged yet: CometBFT never waits to hand over
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  await comet.finalize(blockOf(1))
  await comet.commit()
  assert.equal(taken.length, 1024, 'a block was made while so many waited')
  judge()
  const judged = await Promise.all(answers)
  const verdicts = judged.map(({ code, log }) => `${code} ${log}`)
  assert(verdicts.slice(0, 1024).every((verdict) => verdict === '0 '))
  assert(verdicts.slice(1024).every((verdict) => verdict === '32000 OperatorBusy'))
  assert.deepEqual([inner.pool.size, (await again).log], [1024, 'NoLongerWaiting'])
  assert.equal((await client.ask(check('one more'))).code, 0, 'there is room again')
})

test('connection: what the gateway has accepted stays, though CometBFT’s copy is refused', async (t) => {
  const { application, inner, read, judge } = slowApplication()
  const { server } = await serve(t, application)
  const client = await AbciClient.connect(server.address)
  await inner.checkTransaction(utf8('from the gateway'))
  const answers = Array.from({ length: 1_200 }, (_, i) => client.ask(check(`tx ${i}`)))
  const [handedOver] = await Promise.all([
    client.ask(check('from the gateway')),
    client.ask(recheck('tx 0')),
    read.then(judge),
  ])
  assert.equal(handedOver.log, 'OperatorBusy')
  const accepted = (await Promise.all(answers)).filter(({ code }) => code === 0)
  assert.equal(inner.pool.size, 1 + accepted.length)
  assert(inner.holdsTransaction(utf8('from the gateway')))
})

test('connection: what is handed over for the application’s mempool waits for no check', async (t) => {
  const { application, inner, taken, judge } = slowApplication()
  const { server } = await serve(t, application, socketOf(t), { mempool: 'app' })
  const client = await AbciClient.connect(server.address)
  const inserted = Array.from({ length: 1_000 }, (_, i) => client.ask(batchOf(`tx ${i}`)))
  assert((await Promise.all(inserted)).every(({ code }) => code === 0))
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  await comet.finalize(blockOf(1))
  await comet.commit()
  assert(taken.length < 1_000, 'a block was made while so many waited')
  judge()
  while (inner.pool.size < 1_000) await client.ask({ case: 'echo', value: {} })
})

test('connection: a flood of transactions lets the other connections have their turn', async (t) => {
  let started = 0
  const { server } = await serve(t, {
    ...application(),
    async checkTransaction() {
      started++
      return { ok: true }
    },
  })
  const [client, comet] = [
    await AbciClient.connect(server.address),
    await CometDriver.connect(server.address),
  ]
  client.send(flood(20_000))
  await comet.handshake(testGenesis)
  assert(started < 20_000, 'the handshake did not wait for the whole flood')
  client.destroy()
})

test('connection: where answers are not read, nothing is taken up, and then no more is read', async (t) => {
  const chunk = new Uint8Array(64 * 1024).fill(7)
  let loaded = 0
  const snapshots = {
    list: () => [],
    load: async () => {
      loaded++
      return chunk
    },
    offer: () => assert.fail(),
    apply: () => assert.fail(),
  }
  const { server } = await serve(t, application(), socketOf(t), { snapshots })
  const client = await AbciClient.connect(server.address)
  const other = await AbciClient.connect(server.address)
  const readOn = client.stopReading()
  const chunks = Array.from({ length: 1_000 }, () =>
    client.ask({ case: 'loadSnapshotChunk', value: {} }),
  )
  const message = 'x'.repeat(1_000)
  const echoes = Array.from({ length: 4_000 }, () =>
    client.ask({ case: 'echo', value: { message } }),
  )
  // Each is a turn of the server's, in which it would take up sixteen more and read 64 kB.
  for (let turn = 0; turn < 200; turn++) await other.ask({ case: 'echo', value: { message } })
  assert(loaded < 100, `${loaded} chunks wait to be read`)
  assert(client.unread > 0, 'the server reads on')
  readOn()
  for (const answer of await Promise.all(chunks)) assert.equal(answer.chunk.length, chunk.length)
  for (const answer of await Promise.all(echoes)) assert.equal(answer.message, message)
})

test('connection: transactions keep their own bytes alive, not all that came with them', async (t) => {
  const inner = application()
  const { server } = await serve(t, inner)
  const client = await AbciClient.connect(server.address)
  await Promise.all(['tx 1', 'tx 2'].map((text) => client.ask(check(text))))
  for (const bytes of inner.pool.values()) assert.equal(bytes.buffer.byteLength, bytes.length)
})
