import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fault, serveJsonRpc } from '../../../test/support/json-rpc-server.ts'
import { ManualClock } from '../../../test/support/manual-clock.ts'
import { createPoster } from './connection.ts'
import { createRpc, reasonOfMessage, resultOf } from './rpc.ts'

const call = { method: 'eth_chainId', params: [] }

function rpcOver(t: TestContext, gateways: readonly string[], returnMs?: number) {
  const poster = createPoster({ timeoutMs: 600_000, connections: 4 })
  t.after(() => poster.close())
  const clock = new ManualClock()
  const options = { gateways, poster, first: 0, nowMs: clock.nowMs }
  return { clock, rpc: createRpc(returnMs === undefined ? options : { ...options, returnMs }) }
}

const gateway = (t: TestContext, chainId = '0x1') => serveJsonRpc(t, { eth_chainId: () => chainId })

test('rpc: a gateway that refuses connections is passed over, and has not read anything', async (t) => {
  const [dead, good] = [await gateway(t), await gateway(t)]
  await dead.close()
  const { rpc } = rpcOver(t, [dead.url, good.url])
  const outcome = await rpc.send([call])
  assert.equal(resultOf(outcome), '0x1')
  assert.equal(outcome.mayHaveArrived, false)
  assert.deepEqual(outcome.failures, [`${dead.url}: ECONNREFUSED`])
})

test('rpc: an overloaded gateway has not read anything, a failing one may have', async (t) => {
  const [busy, good] = [await gateway(t), await gateway(t)]
  const { rpc } = rpcOver(t, [busy.url, good.url], 0)
  busy.status = 503
  assert.equal((await rpc.send([call])).mayHaveArrived, false)
  busy.status = 500
  assert.equal((await rpc.send([call])).mayHaveArrived, true)
  assert.deepEqual([busy.calls.length, good.calls.length], [0, 2])
})

test('rpc: a connection that is cut after the request may have brought it', async (t) => {
  const cutting = createServer((request) => request.socket.destroy())
  await new Promise<void>((resolve) => cutting.listen(0, '127.0.0.1', resolve))
  t.after(() => cutting.close())
  const good = await gateway(t)
  const { port } = cutting.address() as AddressInfo
  const { rpc } = rpcOver(t, [`http://127.0.0.1:${port}`, good.url])
  const outcome = await rpc.send([call])
  assert.equal(resultOf(outcome), '0x1')
  assert.equal(outcome.mayHaveArrived, true)
})

test('rpc: stays with who answered, and returns to its first choice after a while', async (t) => {
  const [first, second] = [await gateway(t, '0xa'), await gateway(t, '0xb')]
  const { clock, rpc } = rpcOver(t, [first.url, second.url], 5_000)
  first.status = 503
  assert.equal(resultOf(await rpc.send([call])), '0xb')
  first.status = 200
  assert.equal(resultOf(await rpc.send([call])), '0xb')
  clock.advance(5_000)
  assert.equal(resultOf(await rpc.send([call])), '0xa')
})

test('rpc: an error is an answer, its reason is the code or the words', async (t) => {
  const refusing = await serveJsonRpc(t, {
    coded: () => fault(-32000, 'the pool is full', 'MempoolFull'),
    worded: () => fault(-32000, 'nonce too low: address 0x1, tx: 1 state: 2'),
  })
  const { rpc } = rpcOver(t, [refusing.url])
  const reasons = []
  for (const method of ['coded', 'worded']) {
    const { replies } = await rpc.send([{ method, params: [] }])
    const [reply] = replies ?? []
    reasons.push(reply?.kind === 'error' ? reply.reason : reply)
  }
  assert.deepEqual(reasons, ['MempoolFull', 'NonceTooLow'])
})

test('rpc: an internal error and a timeout are no answers', async (t) => {
  const broken = await serveJsonRpc(t, { eth_chainId: () => fault(-32603, 'internal error') })
  const slow = await serveJsonRpc(t, { eth_chainId: () => fault(-32002, 'timed out') })
  const { rpc } = rpcOver(t, [broken.url, slow.url])
  const { replies, mayHaveArrived, failures } = await rpc.send([call])
  assert.deepEqual([replies, mayHaveArrived, failures.length], [undefined, true, 2])
})

test('rpc: several calls travel as one batch, and replies come in their order', async (t) => {
  const echo = await serveJsonRpc(t, { echo: ([value]) => value })
  const { rpc } = rpcOver(t, [echo.url])
  const calls = [3, 1, 2].map((value) => ({ method: 'echo', params: [value] }))
  const { replies } = await rpc.send(calls)
  assert.deepEqual(
    replies,
    [3, 1, 2].map((result) => ({ kind: 'result', result })),
  )
})

test('reasonOfMessage: what is before the colon becomes one word', () => {
  assert.equal(
    reasonOfMessage('insufficient funds for gas * price + value: address 0x'),
    'InsufficientFundsForGasPriceValue',
  )
  assert.equal(reasonOfMessage(''), 'NoReason')
})
