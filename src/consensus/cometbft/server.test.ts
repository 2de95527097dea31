import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { concatBytes, sha256Hex, utf8 } from '#primitives'
import { AbciClient, questionFrame } from '../../../test/support/abci-client.ts'
import { CometDriver } from '../../../test/support/comet-driver.ts'
import {
  batchOf,
  blockOf,
  defectMs,
  serve,
  socketOf,
  testGenesis,
  testKeys,
  testValidators,
} from '../../../test/support/served-application.ts'
import { createTracingApplication, emptyDisk } from '../../../test/support/tracing-application.ts'
import { validatorAddress } from '../light/index.ts'
import { tryDecodeBatch } from './batch.ts'
import { CheckTxType } from './messages/abci_pb.ts'

const application = () => createTracingApplication(testValidators)
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const check = (text: string) => ({ case: 'checkTx' as const, value: { tx: utf8(text) } })

test('server: a unix socket that only its owner can open, and a port of this machine', async (t) => {
  const listen = socketOf(t)
  const { server } = await serve(t, application(), listen)
  assert.equal(server.address, `unix://${listen.path}`)
  assert.equal(statSync(listen.path).mode & 0o777, 0o600)
  const other = await serve(t, application(), { port: 0 })
  assert.match(other.server.address, /^tcp:\/\/127\.0\.0\.1:\d+$/)
  for (const { address } of [server, other.server]) {
    const client = await AbciClient.connect(address)
    const { message } = await client.ask({ case: 'echo', value: { message: 'hello' } })
    assert.equal(message, 'hello')
  }
})

test('server: a socket file that a killed process left is replaced', async (t) => {
  const listen = socketOf(t)
  await serve(t, application(), listen)
  const { server } = await serve(t, application(), listen)
  const client = await AbciClient.connect(server.address)
  assert.equal((await client.ask({ case: 'echo', value: { message: 'x' } })).message, 'x')
})

test('server: a path where nothing can listen is an error that names it', async (t) => {
  const path = '/dev/null/abci.sock'
  await assert.rejects(serve(t, application(), { path }), { code: 'SocketFailed' })
})

test('server: refusals come with their reason, and what waits already is welcome', async (t) => {
  const { server } = await serve(t, application())
  const client = await AbciClient.connect(server.address)
  const { code, codespace, log, info } = await client.ask(check('bad'))
  assert.deepEqual([code, codespace, log, info], [1, 'nodeop', 'BadEncoding', 'as asked'])
  assert.equal((await client.ask(check('tx'))).code, 0)
  assert.equal((await client.ask(check('tx'))).code, 0)
})

test('server: CometBFT is told after each block what it may forget', async (t) => {
  const inner = application()
  const { server } = await serve(t, inner)
  const client = await AbciClient.connect(server.address)
  const recheck = async (text: string) => {
    const value = { tx: utf8(text), type: CheckTxType.RECHECK }
    const { code, log } = await client.ask({ case: 'checkTx', value })
    return [code, log]
  }
  await client.ask(check('tx'))
  assert.deepEqual(await recheck('tx'), [0, ''])
  inner.pool.clear()
  assert.deepEqual(await recheck('tx'), [1, 'NoLongerWaiting'])
  assert.equal(inner.pool.size, 0, 'it is not admitted again')
})

test("server: a check that fails is the sender's alone", async (t) => {
  const checkTransaction = () => Promise.reject(new Error('a defect'))
  const { server, failures } = await serve(t, { ...application(), checkTransaction })
  const client = await AbciClient.connect(server.address)
  assert.deepEqual((await client.ask(check('tx'))).log, 'ApplicationFailed')
  assert.deepEqual(failures, [])
})

/** A served mempool of the application's, whose transactions CometBFT takes and gives. */
async function servedMempool(t: TestContext) {
  const inner = application()
  const { server } = await serve(t, inner, socketOf(t), { mempool: 'app' })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  const client = comet.mempool
  const insert = async (...texts: string[]) => (await client.ask(batchOf(...texts))).code
  const reap = async () => {
    const { txs } = await client.ask({ case: 'reapTxs', value: {} })
    return txs.flatMap((bytes) => tryDecodeBatch(bytes)?.transactions.map(textOf) ?? assert.fail())
  }
  /** Each is answered before its check. */
  const admitted = async (count: number) => {
    while (inner.pool.size < count) await client.ask({ case: 'echo', value: {} })
  }
  const decide = async (height: number, texts: readonly string[] = []) => {
    await comet.finalize(blockOf(height, texts))
    await comet.commit()
  }
  return { inner, server, client, insert, reap, admitted, decide }
}

test('server: what is new to the application’s mempool goes to the peers, each once', async (t) => {
  const { inner, server, client, insert, reap, admitted } = await servedMempool(t)
  for (const text of ['one', 'two', 'one', 'bad'])
    assert.equal((await client.ask(check(text))).code, 0, 'it is taken, whatever it is')
  assert.equal(await insert('bad'), 0)
  await admitted(2)
  server.relay(utf8('by the gateway'))
  assert.deepEqual(await reap(), ['one', 'two', 'by the gateway'])
  assert.deepEqual(await reap(), [])
  assert.deepEqual([...inner.pool.values()], [utf8('one'), utf8('two')])
})

test('server: what no block has after a while goes on once more, whoever sent it first', async (t) => {
  const { server, inner, insert, reap, admitted, decide } = await servedMempool(t)
  assert.equal(await insert('included', 'left out'), 0)
  await admitted(2)
  await inner.checkTransaction(utf8('own'))
  server.relay(utf8('own'))
  assert.deepEqual(await reap(), ['own'], 'a peer sends its own to all')
  await decide(1, ['included'])
  for (let height = 2; height < 4; height++) await decide(height)
  assert.deepEqual(await reap(), [])
  await decide(4)
  assert.deepEqual((await reap()).toSorted(), ['left out', 'own'])
  const again = new Map<number, readonly string[]>()
  for (let height = 5; height <= 60; height++) {
    await decide(height)
    const sent = await reap()
    if (sent.length > 0) again.set(height, sent)
  }
  const own = [12, 28, 60].map((height) => [height, ['own']] as const)
  assert.deepEqual(again, new Map(own), 'its own until a block has it, ever more seldom')
})

test('server: of a batch goes on what is new, each once', async (t) => {
  const { insert, reap, admitted, decide } = await servedMempool(t)
  assert.equal(await insert('one', 'bad', 'two'), 0)
  await admitted(2)
  assert.equal(await insert('two', 'three', 'two'), 0)
  await admitted(3)
  for (let height = 1; height <= 4; height++) await decide(height)
  assert.deepEqual(await reap(), ['one', 'two', 'three'])
})

test('server: what is no batch is refused, and of one that does not fit the rest', async (t) => {
  const { inner, client, insert, admitted } = await servedMempool(t)
  for (const bytes of [utf8('a transaction that is in no batch'), new Uint8Array([1])])
    assert.equal((await client.ask({ case: 'insertTx', value: { tx: bytes } })).code, 1)
  assert.equal(inner.pool.size, 0)
  const half = 'x'.repeat(32 * 1024 * 1024)
  assert.equal(await insert(`1${half}`, 'between', `2${half}`, 'after'), 1)
  await admitted(3)
  const kept = [...inner.pool.values()].map(({ length }) => length)
  assert.deepEqual(kept, [half.length + 1, 'between'.length, 'after'.length])
})

test('server: a proposal is what the application wants, within what CometBFT has room for', async (t) => {
  const inner = application()
  const { server } = await serve(t, inner)
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  for (const text of ['one', 'two', 'x'.repeat(200)]) await inner.checkTransaction(utf8(text))
  const propose = async (maxTxBytes: bigint) =>
    (await comet.prepare(1, maxTxBytes)).map(({ length }) => length)
  // A transaction takes its bytes, a tag and its length.
  assert.deepEqual(await propose(213n), [3, 3, 200])
  assert.deepEqual(await propose(212n), [3, 3])
  assert.deepEqual(await propose(9n), [3])
  assert.deepEqual(await propose(4n), [])
})

test('server: a proposal is refused by the application, or for a proposer that nobody knows', async (t) => {
  const { server, failures } = await serve(t, application())
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  assert.equal(await comet.judge(blockOf(1, ['tx'])), 1)
  assert.equal(await comet.judge(blockOf(1, ['bad'])), 2)
  const stranger = sha256Hex(utf8('stranger'))
  assert.equal(await comet.judge(blockOf(1, ['tx'], { proposer: stranger })), 2)
  assert.deepEqual(failures, [])
})

test('server: a decided block of a proposer that nobody knows is an error with both sides', async (t) => {
  const { server } = await serve(t, application())
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  const stranger = sha256Hex(utf8('stranger'))
  const refused = `block 1 is proposed by ${validatorAddress(stranger)}: of the 4 consensus keys`
  await assert.rejects(
    comet.finalize(blockOf(1, [], { proposer: stranger })),
    ({ message }: Error) => message.includes(`UnknownProposer: ${refused}`),
  )
})

test('server: a judgement that fails refuses that proposal', async (t) => {
  const processProposal = () => Promise.reject(new Error('a defect'))
  const { server, failures } = await serve(t, { ...application(), processProposal })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  assert.equal(await comet.judge(blockOf(1)), 2)
  assert.deepEqual(failures, [])
})

test('server: a block reaches the application whole, and its outcome CometBFT', async (t) => {
  const removed = { consensusKey: testKeys[0] ?? '0x', power: 0n }
  const inner = createTracingApplication(testValidators, emptyDisk(), () => [removed])
  const { server, decided } = await serve(t, inner)
  const comet = await CometDriver.connect(server.address)
  const { height } = await comet.handshake(testGenesis)
  assert.equal(height, 0)
  const offender = { consensusKey: testKeys[2] ?? '0x', height: 7 }
  const forgotten = { consensusKey: sha256Hex(utf8('stranger')), height: 7 }
  const block = blockOf(1, ['tx', 'void'], { misbehaviour: [offender, forgotten] })
  const { appHash, results, validatorUpdates } = await comet.finalize(block)
  assert.deepEqual([results, validatorUpdates], [['ok', 'NothingNew'], [removed]])
  assert.deepEqual(decided, [], 'nothing is decided before its commit')
  await comet.commit()
  assert.deepEqual(decided.map(plain), [plain({ ...block, misbehaviour: [offender] })])
  assert.deepEqual(await inner.info(), { height: 1, appHash })
  assert.deepEqual(await comet.handshake(testGenesis), { height: 1, appHash })
})

const plain = ({ transactions, ...rest }: ReturnType<typeof blockOf>) => ({
  ...rest,
  transactions: transactions.map((bytes) => Buffer.from(bytes).toString()),
})

test('server: an application that fails is called no more, and CometBFT is told why', async (t) => {
  const inner = application()
  let calls = 0
  const { server, failures, nextRefusal } = await serve(t, {
    ...inner,
    finalizeBlock() {
      calls++
      return Promise.reject(new Error('the disk is gone'))
    },
  })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  await assert.rejects(comet.finalize(blockOf(1)), /ApplicationFailed: the disk is gone/)
  assert.equal((await nextRefusal()).reason, 'ApplicationFailed')
  assert.equal(failures.length, 1)
  await comet.kill()
  const again = await CometDriver.connect(server.address)
  await assert.rejects(again.handshake(testGenesis), /the disk is gone/)
  assert.deepEqual([calls, failures.length], [1, 1])
})

test('server: a listener that fails keeps nothing from being committed', async (t) => {
  const inner = application()
  const { server, decided, failures } = await serve(t, inner)
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  await comet.finalize(blockOf(1, [], { timeMs: defectMs }))
  await comet.commit()
  await comet.finalize(blockOf(2))
  await comet.commit()
  assert.deepEqual([decided.length, (await inner.info()).height, failures], [2, 2, []])
})

test('server: calls of two connections that move the ledger never overlap', async (t) => {
  let running = 0
  const alone = async <Result>(run: () => Promise<Result>): Promise<Result> => {
    assert.equal(running++, 0, 'one at a time')
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return run()
  }
  const inner = application()
  const { server, failures } = await serve(t, {
    ...inner,
    processProposal: (block) => alone(() => inner.processProposal(block)),
    finalizeBlock: (block) => alone(() => inner.finalizeBlock(block)),
    commit: () => alone(() => inner.commit()),
  })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  const blocks = Array.from({ length: 20 }, (_, i) => blockOf(i + 1, [`tx ${i}`]))
  await Promise.all(
    blocks.flatMap((block) => [comet.judge(block), comet.finalize(block), comet.commit()]),
  )
  assert.equal((await inner.info()).height, 20)
  assert.deepEqual(failures, [])
})

test('server: a CometBFT that comes back during a commit is told of that block', async (t) => {
  const slow = Promise.withResolvers<void>()
  const began = Promise.withResolvers<void>()
  const inner = application()
  const { server, failures } = await serve(t, {
    ...inner,
    async commit() {
      began.resolve()
      await slow.promise
      return inner.commit()
    },
  })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  await comet.finalize(blockOf(1))
  const cut = assert.rejects(comet.commit(), /ended/)
  await began.promise
  await comet.kill()
  await cut
  const again = await CometDriver.connect(server.address)
  const greeted = again.handshake(testGenesis)
  await again.mempool.ask({ case: 'echo', value: { message: 'after what was asked' } })
  slow.resolve()
  assert.equal((await greeted).height, 1)
  await again.finalize(blockOf(2))
  await again.commit()
  assert.deepEqual([(await inner.info()).height, failures], [2, []])
})

test('server: nothing of the application is under way once it is closed', async (t) => {
  const slow = Promise.withResolvers<void>()
  const began = Promise.withResolvers<void>()
  const inner = application()
  const { server } = await serve(t, {
    ...inner,
    async finalizeBlock(block) {
      began.resolve()
      await slow.promise
      return inner.finalizeBlock(block)
    },
  })
  const comet = await CometDriver.connect(server.address)
  await comet.handshake(testGenesis)
  const cut = assert.rejects(comet.finalize(blockOf(1)), /ended/)
  await began.promise
  let isClosed = false
  const closed = server.close().then(() => {
    isClosed = true
  })
  await cut
  assert.equal(isClosed, false)
  slow.resolve()
  await closed
  assert.deepEqual((await inner.info()).height, 0)
})

test('server: what was received and not taken up is dropped when it is closed', async (t) => {
  for (const mempool of ['app', 'flood'] as const) {
    const inner = application()
    let checks = 0
    const closed = Promise.withResolvers<void>()
    const { server } = await serve(
      t,
      {
        ...inner,
        checkTransaction(bytes) {
          if (++checks === 1) server.close().then(closed.resolve, closed.reject)
          return inner.checkTransaction(bytes)
        },
      },
      socketOf(t),
      { mempool },
    )
    const client = await AbciClient.connect(server.address)
    const frames = Array.from({ length: 400 }, (_, i) => questionFrame(check(`tx ${i}`)))
    client.send(concatBytes(...frames))
    await closed.promise
    const checked = checks
    for (let turns = 0; turns < 50; turns++) await turn()
    assert.equal(checks, checked, mempool)
    assert(checks < frames.length, 'it was closed in between')
  }
})
