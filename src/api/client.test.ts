import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createClient, GatewaysUnreachableError, UnexpectedAnswerError } from './client.ts'
import { RpcError } from './rpc-error.ts'

/** A gateway that answers every request alike; counts them. */
async function gateway(context: TestContext, status: number, body: string) {
  const calls = { count: 0 }
  const server: Server = createServer((_, response) => {
    calls.count++
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => server.close())
  const address = server.address()
  assert(typeof address === 'object' && address)
  return { url: `http://127.0.0.1:${address.port}`, calls }
}

const answer = (result: unknown) => JSON.stringify({ jsonrpc: '2.0', id: 1, result })
const fault = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  error: { code: -32000, message: 'nonce too low', data: { reason: 'NonceTooLow' } },
})

/** Where nobody listens: a port that was free a moment ago. */
async function nobody(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert(typeof address === 'object' && address)
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${address.port}`
}

test('client: goes on to the next gateway, and stays with the one that answered', async (t) => {
  const overloaded = await gateway(t, 503, '{}')
  const confused = await gateway(t, 200, '<html>')
  const good = await gateway(t, 200, answer([]))
  const client = createClient([await nobody(), overloaded.url, confused.url, good.url])
  assert.deepEqual(await client.nodeop_parameters(), [])
  assert.deepEqual(await client.nodeop_parameters(), [])
  assert.deepEqual([overloaded.calls.count, confused.calls.count, good.calls.count], [1, 1, 2])
})

test('client: an error answer is the answer, with code and data', async (t) => {
  const refusing = await gateway(t, 200, fault)
  const other = await gateway(t, 200, answer(1))
  const client = createClient([refusing.url, other.url])
  const thrown = await client.request('eth_x', []).catch((error: unknown) => error)
  assert(thrown instanceof RpcError)
  assert.equal(thrown.rpcCode, -32000)
  assert.deepEqual(thrown.details.data, { reason: 'NonceTooLow' })
  assert.equal(other.calls.count, 0)
})

test('client: when no gateway answers, the error names each', async (t) => {
  const overloaded = await gateway(t, 503, '{}')
  const client = createClient([await nobody(), overloaded.url])
  await assert.rejects(client.nodeop_operators(), (error: unknown) => {
    assert(error instanceof GatewaysUnreachableError)
    assert.match(error.message, /127\.0\.0\.1:\d+: ECONNREFUSED.*HTTP 503/)
    return true
  })
})

test('client: an endpoint that is no gateway is passed over, and named', async (t) => {
  const body = { jsonrpc: '2.0', id: 1, error: { code: -32601, message: 'Method not found' } }
  const foreign = await gateway(t, 200, JSON.stringify(body))
  const good = await gateway(t, 200, answer([]))
  assert.deepEqual(await createClient([foreign.url, good.url]).nodeop_operators(), [])
  await assert.rejects(createClient([foreign.url]).nodeop_operators(), (error: unknown) => {
    assert(error instanceof GatewaysUnreachableError)
    assert(error.message.includes(`${foreign.url} is no NodeOP gateway`))
    return true
  })
  // Of other methods it is the answer: every gateway may lack them.
  await assert.rejects(createClient([foreign.url]).request('eth_x', []), RpcError)
})

test('client: an answer of another shape is refused', async (t) => {
  const odd = await gateway(t, 200, answer({ height: 1 }))
  await assert.rejects(createClient([odd.url]).nodeop_status(), UnexpectedAnswerError)
})
