import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isDeeperThan, toJson } from './json.ts'
import { isMistake, maxBatch, parseRpcBody, toErrorResponse, toResultResponse } from './rpc.ts'
import { RpcError, refusal, toFault } from './rpc-error.ts'

const call = (more: object = {}) => ({ jsonrpc: '2.0', id: 1, method: 'm', params: [], ...more })

/** The error code that a body, or its only entry, is answered with; undefined for a request. */
function codeOf(text: string): number | undefined {
  const body = parseRpcBody(text)
  if (body instanceof RpcError) return body.rpcCode
  const [entry] = body.entries
  return entry && isMistake(entry) ? entry.error.rpcCode : undefined
}

test('parseRpcBody: a request keeps its id, method and params', () =>
  assert.deepEqual(parseRpcBody('{"jsonrpc":"2.0","id":"a","method":"m","params":[1]}'), {
    isBatch: false,
    entries: [{ id: 'a', method: 'm', params: [1] }],
  }))

test('parseRpcBody: a request without id is a notification', () => {
  const body = parseRpcBody('{"jsonrpc":"2.0","method":"m"}')
  assert(!(body instanceof RpcError))
  assert.deepEqual(body.entries, [{ id: undefined, method: 'm', params: [] }])
})

test('parseRpcBody: params that are null are none', () =>
  assert.deepEqual(parseRpcBody('{"jsonrpc":"2.0","id":1,"method":"m","params":null}'), {
    isBatch: false,
    entries: [{ id: 1, method: 'm', params: [] }],
  }))

test('parseRpcBody: what is no JSON is -32700', () => {
  for (const text of ['', '{', '[1', 'x', '{"a":1,}']) assert.equal(codeOf(text), -32700, text)
})

test('parseRpcBody: what is no request is -32600', () => {
  const bad = [1, null, 'x', {}, call({ jsonrpc: '1.0' }), call({ method: 1 }), call({ id: {} })]
  for (const value of bad) assert.equal(codeOf(JSON.stringify(value)), -32600)
  assert.equal(codeOf(JSON.stringify(call({ params: 1 }))), -32600)
})

test('parseRpcBody: named params are -32602', () =>
  assert.equal(codeOf(JSON.stringify(call({ params: { a: 1 } }))), -32602))

test('parseRpcBody: an empty batch and one over the limit are -32600, the limit is named', () => {
  assert.equal(codeOf('[]'), -32600)
  const full = JSON.stringify(Array.from({ length: maxBatch }, () => call()))
  assert(!(parseRpcBody(full) instanceof RpcError))
  const over = parseRpcBody(JSON.stringify(Array.from({ length: maxBatch + 1 }, () => call())))
  assert(over instanceof RpcError)
  assert.equal(over.rpcCode, -32600)
  assert.match(over.message, /at most 20 requests/)
})

test('parseRpcBody: a bad entry of a batch leaves the others alone', () => {
  const body = parseRpcBody(JSON.stringify([call(), 1, call({ id: 2 })]))
  assert(!(body instanceof RpcError))
  assert.deepEqual(body.entries.map(isMistake), [false, true, false])
})

test('parseRpcBody: nesting deeper than 32 levels is refused before it is parsed', () => {
  const nested = (depth: number) =>
    `{"jsonrpc":"2.0","id":1,"method":"m","params":${'['.repeat(depth)}${']'.repeat(depth)}}`
  assert.equal(codeOf(nested(31)), undefined)
  assert.equal(codeOf(nested(32)), -32600)
  assert.equal(codeOf('['.repeat(1_000_000)), -32600)
})

test('isDeeperThan: brackets inside strings do not count', () => {
  assert.equal(isDeeperThan('["[[[[\\"[[["]', 1), false)
  assert.equal(isDeeperThan('["\\\\",[]]', 1), true)
})

test('parseRpcBody: no text makes it throw', () =>
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void parseRpcBody(text))))

test('parseRpcBody: every JSON value is answered or refused with a JSON-RPC code', () =>
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.jsonValue(), fc.constant(call())), { maxLength: 25 }),
      (all) => {
        const body = parseRpcBody(JSON.stringify(all))
        if (body instanceof RpcError) return assert.equal(body.rpcCode, -32600)
        assert.equal(body.entries.length, all.length)
      },
    ),
  ))

test('toFault: what carries no rpcCode is internal, without its words', () => {
  assert.deepEqual(toFault(new Error('secret path')), { code: -32603, message: 'internal error' })
  assert.deepEqual(toFault('secret'), { code: -32603, message: 'internal error' })
})

test('toFault: errors with an rpcCode keep code, message and data, whoever defined them', () => {
  const own = Object.assign(new Error('execution reverted'), { rpcCode: 3, data: '0x01' })
  assert.deepEqual(toFault(own), { code: 3, message: 'execution reverted', data: '0x01' })
  assert.deepEqual(toFault(refusal('FeeTooLow', 'asks 5')), {
    code: -32000,
    message: 'FeeTooLow: asks 5',
    data: { reason: 'FeeTooLow' },
  })
})

test('answers: bigints are decimal strings, bytes are hex, undefined is null', () => {
  const response = toResultResponse(1, {
    big: 2n ** 70n,
    raw: Uint8Array.of(1, 255),
    none: undefined,
  })
  assert.equal(
    toJson(response),
    '{"jsonrpc":"2.0","id":1,"result":{"big":"1180591620717411303424","raw":"0x01ff"}}',
  )
  assert.equal(toJson(toResultResponse('a', undefined)), '{"jsonrpc":"2.0","id":"a","result":null}')
  assert.deepEqual(toErrorResponse(null, { code: -1, message: 'm', data: 1n }), {
    jsonrpc: '2.0',
    id: null,
    error: { code: -1, message: 'm', data: '1' },
  })
})
