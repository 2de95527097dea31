import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { RpcError, type RpcMethod, refusal } from '#api'
import type { Logger } from '#primitives'
import { buildServer, createGateway, type GatewayOptions, PortInUseError } from './gateway.ts'
import { defaultLimits, isAllowedHost, loopbackHosts } from './limits.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** A gateway over a few methods; `changes` replace parts of it. */
const optionsWith = (changes: Partial<GatewayOptions> = {}): GatewayOptions => ({
  port: 0,
  methods: {
    echo: async (params) => params,
    eth_sendRawTransaction: async ([raw]) => String(raw).length,
    big: async () => ({ wei: 2n ** 80n }),
    refuse: async () => Promise.reject(refusal('FeeTooLow', 'asks 5')),
    fail: async () => Promise.reject(new Error('secret of the house')),
    hang: () => new Promise(() => {}),
  },
  health: () => ({ live: true, ready: true }),
  metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'nodeop_ready 1\n' },
  logger: silent,
  ...changes,
})

const request = (method: string, params: unknown[] = [], id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})

/** One body to a gateway that does not listen; the answer's status, headers and JSON. */
async function post(body: unknown, changes: Partial<GatewayOptions> = {}) {
  const server = buildServer(optionsWith(changes))
  const payload = typeof body === 'string' ? body : JSON.stringify(body)
  const {
    statusCode,
    headers,
    body: text,
  } = await server.inject({
    method: 'POST',
    url: '/',
    payload,
    headers: { host: 'localhost:1', 'content-type': 'application/json' },
  })
  await server.close()
  return { status: statusCode, headers, json: text === '' ? undefined : JSON.parse(text) }
}

const codeOf = async (body: unknown, changes?: Partial<GatewayOptions>): Promise<number> =>
  (await post(body, changes)).json.error.code

test('JSON-RPC: a call is answered with its id', async () => {
  const { status, json } = await post(request('echo', [1, 'a'], 'x'))
  assert.equal(status, 200)
  assert.deepEqual(json, { jsonrpc: '2.0', id: 'x', result: [1, 'a'] })
})

test('JSON-RPC: errors have the codes of the specification', async () => {
  assert.equal(await codeOf('{'), -32700)
  assert.equal(await codeOf(''), -32700)
  assert.equal(await codeOf('[]'), -32600)
  assert.equal(await codeOf(request('nothing')), -32601)
  assert.equal(await codeOf(request('constructor')), -32601)
  assert.equal(await codeOf(request('refuse')), -32000)
})

test('JSON-RPC: an internal error keeps its words in the log', async () => {
  const logged: unknown[] = []
  const logger: Logger = { ...silent, error: (_, fields) => logged.push(fields) }
  const { json } = await post(request('fail'), { logger })
  assert.deepEqual(json.error, { code: -32603, message: 'internal error' })
  assert.match(JSON.stringify(logged), /"method":"fail"/)
})

test('JSON-RPC: a batch is answered in order, notifications are not', async () => {
  const notification = { jsonrpc: '2.0', method: 'echo' }
  const { json } = await post([request('echo', [], 1), notification, 7, request('big', [], 2)])
  assert.deepEqual(
    json.map(({ id, error }: { id: unknown; error?: { code: number } }) => [id, error?.code]),
    [
      [1, undefined],
      [null, -32600],
      [2, undefined],
    ],
  )
  assert.deepEqual(json[2].result, { wei: '1208925819614629174706176' })
  const alone = await post(notification)
  assert.deepEqual([alone.status, alone.json], [204, undefined])
})

test('JSON-RPC: a method that hangs is answered with -32002', async () =>
  assert.equal(await codeOf(request('hang'), { limits: { methodTimeoutMs: 5 } }), -32002))

test('JSON-RPC: finished calls are reported with bounded names', async () => {
  const seen: string[] = []
  const observe: GatewayOptions['observe'] = ({ method, outcome }) =>
    seen.push(`${method} ${outcome}`)
  await post([request('echo'), request('0xinvented'), request('fail')], { observe })
  assert.deepEqual(seen, ['echo ok', 'unknown MethodNotFound', 'fail InternalError'])
})

test('JSON-RPC: any bytes are answered, never with a server error', async () => {
  const server = buildServer(optionsWith())
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
      const headers = { host: '127.0.0.1' }
      const payload = Buffer.from(bytes)
      const answer = await server.inject({ method: 'POST', url: '/', payload, headers })
      assert(answer.statusCode < 500)
    }),
  )
  await server.close()
})

test('limits: an ordinary body over 64 KiB is 413, a submission over 1 MiB', async () => {
  const { bodyBytes, submissionBytes } = defaultLimits
  const large = 'f'.repeat(bodyBytes)
  assert.equal((await post(request('echo', [large]))).status, 413)
  const submitted = await post(request('eth_sendRawTransaction', [large]))
  assert.equal(submitted.json.result, bodyBytes)
  const mixed = [request('eth_sendRawTransaction', [large]), request('echo')]
  assert.equal((await post(mixed)).status, 413)
  const over = await post(request('eth_sendRawTransaction', ['f'.repeat(submissionBytes)]))
  assert.equal(over.status, 413)
  assert.match(over.json.error.message, /1048576 bytes/)
})

test('limits: requests above those in hand are told to come back', async () => {
  const release = Promise.withResolvers<string>()
  const methods = { wait: () => release.promise }
  const server = buildServer(optionsWith({ methods, limits: { requests: 1 } }))
  const send = () =>
    server.inject({
      method: 'POST',
      url: '/',
      payload: request('wait'),
      headers: { host: 'localhost' },
    })
  const [first, second] = [send(), await Promise.race([send(), send()])]
  assert.equal(second.statusCode, 503)
  assert.equal(second.headers['retry-after'], '1')
  release.resolve('done')
  assert.equal((await first).statusCode, 200)
  assert.equal((await send()).statusCode, 200)
  await server.close()
})

test('limits: work that goes on after its time keeps its place until it ends', async () => {
  const release = Promise.withResolvers<string>()
  let reason: unknown
  const methods: GatewayOptions['methods'] = {
    deaf: (_params, signal) => {
      signal?.addEventListener('abort', () => {
        reason = signal.reason
      })
      return release.promise
    },
    echo: async (params) => params,
  }
  const limits = { requests: 1, methodTimeoutMs: 5 }
  const server = buildServer(optionsWith({ methods, limits }))
  const send = (method: string) =>
    server.inject({
      method: 'POST',
      url: '/',
      payload: request(method),
      headers: { host: 'localhost' },
    })
  assert.equal((await send('deaf')).json().error.code, -32002)
  assert(reason instanceof RpcError && reason.rpcCode === -32002)
  assert.equal((await send('echo')).statusCode, 503)
  release.resolve('at last')
  await new Promise(setImmediate)
  assert.equal((await send('echo')).statusCode, 200)
  await server.close()
})

test('hosts: only allowed names may be asked for, on every route', async () => {
  const server = buildServer(optionsWith())
  for (const [host, status] of [
    ['localhost', 200],
    ['127.0.0.1:8545', 200],
    ['[::1]:8545', 200],
    ['LOCALHOST', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example:80', 403],
  ] as const)
    for (const url of ['/', '/livez', '/metrics']) {
      const { statusCode } = await server.inject({ method: 'GET', url, headers: { host } })
      assert.equal(statusCode, status, `${host} ${url}`)
    }
  await server.close()
  assert(isAllowedHost('anything', ['*']))
  assert(!isAllowedHost(undefined, loopbackHosts))
})

test('not ready: calls are sent to another operator, with 503 and the reason', async () => {
  const health = () => ({ live: true, ready: false, reason: 'starting' })
  const server = buildServer(optionsWith({ health }))
  const answer = await server.inject({
    method: 'POST',
    url: '/',
    payload: request('wait'),
    headers: { host: 'localhost' },
  })
  assert.equal(answer.statusCode, 503)
  assert.equal(answer.headers['retry-after'], '1')
  assert.equal(answer.json().error.code, -32004)
  assert.match(answer.json().error.message, /starting/)
  await server.close()
})

test('browsers: a preflight is granted, answers may be read by any origin', async () => {
  const server = buildServer(optionsWith())
  const headers = { host: 'localhost', origin: 'https://dapp.example' }
  const preflight = await server.inject({ method: 'OPTIONS', url: '/', headers })
  assert.equal(preflight.statusCode, 204)
  assert.equal(preflight.headers['access-control-allow-origin'], '*')
  assert.equal(preflight.headers['access-control-allow-headers'], 'content-type')
  await server.close()
  const over = 'f'.repeat(defaultLimits.submissionBytes + 1)
  for (const body of ['{', over, request('fail')])
    assert.equal((await post(body)).headers['access-control-allow-origin'], '*')
})

test('probes: ready says so, not ready is 503 with its reason', async () => {
  const server = buildServer(
    optionsWith({ health: () => ({ live: true, ready: false, reason: 'CatchingUp' }) }),
  )
  const get = (url: string) => server.inject({ method: 'GET', url, headers: { host: 'localhost' } })
  assert.deepEqual(
    [(await get('/livez')).statusCode, (await get('/livez')).json()],
    [200, { live: true }],
  )
  const ready = await get('/readyz')
  assert.deepEqual([ready.statusCode, ready.json()], [503, { ready: false, reason: 'CatchingUp' }])
  assert.match((await get('/metrics')).body, /nodeop_ready 1/)
  assert.equal((await get('/nothing')).statusCode, 404)
  await server.close()
})

test('page: one document that names nothing outside itself, under a strict policy', async () => {
  const server = buildServer(optionsWith())
  const page = await server.inject({ method: 'GET', url: '/', headers: { host: 'localhost' } })
  await server.close()
  assert.match(String(page.headers['content-type']), /^text\/html/)
  assert.match(page.body, /<title>NodeOP/)
  assert.match(page.body, /nodeop_checkpoints/)
  assert.doesNotMatch(page.body, /(src|href)="(?!data:)|@import|url\(/)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'/)
})

async function listening(context: TestContext, changes: Partial<GatewayOptions> = {}) {
  const gateway = await createGateway(optionsWith(changes))
  context.after(() => gateway.close())
  return gateway
}

/** What a listening gateway answers to raw bytes. */
function sendRaw(port: number, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1', () => socket.write(text))
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('close', () => resolve(answer))
  socket.on('error', reject)
  return promise
}

test('listening: answers on the port it names', async (t) => {
  const { url, port } = await listening(t)
  assert.equal(url, `http://127.0.0.1:${port}`)
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(request('echo', [1])) })
  assert.deepEqual(await response.json(), { jsonrpc: '2.0', id: 1, result: [1] })
})

/** A method that runs until it is told to end, and what it was told. */
function obedient() {
  const begun = Promise.withResolvers<void>()
  const told = Promise.withResolvers<unknown>()
  const run: RpcMethod = (_params, signal) => {
    begun.resolve()
    return new Promise((_, reject) => {
      signal?.addEventListener('abort', () => {
        told.resolve(signal.reason)
        reject(signal.reason)
      })
    })
  }
  return { methods: { long: run }, begun: begun.promise, told: told.promise }
}

test('listening: the end does not wait for long calls, and says why they end', async (t) => {
  const { methods, begun } = obedient()
  const gateway = await listening(t, { methods, limits: { methodTimeoutMs: 600_000 } })
  const body = JSON.stringify(request('long'))
  const answer = fetch(gateway.url, { method: 'POST', body })
  await begun
  await gateway.close()
  const { error } = (await (await answer).json()) as { error: { code: number; message: string } }
  assert.equal(error.code, -32004)
  assert.match(error.message, /stopping/)
})

test('listening: a call ends when its client has gone', async (t) => {
  const { methods, begun, told } = obedient()
  const { url } = await listening(t, { methods, limits: { methodTimeoutMs: 600_000 } })
  const client = new AbortController()
  const body = JSON.stringify(request('long'))
  const answer = fetch(url, { method: 'POST', body, signal: client.signal })
  await begun
  client.abort()
  await assert.rejects(answer)
  assert.match(String(await told), /has gone/)
})

test('listening: a port in use is one clear error', async (t) => {
  const { port } = await listening(t)
  await assert.rejects(createGateway(optionsWith({ port })), (error: unknown) => {
    assert(error instanceof PortInUseError)
    assert.equal(error.code, 'PortInUse')
    assert.match(error.message, new RegExp(`^port ${port} on 127\\.0\\.0\\.1 is in use; [^\\n]+$`))
    return true
  })
})

test('listening: headers over 16 KiB are 431', async (t) => {
  const { port } = await listening(t)
  const header = `x: ${'a'.repeat(defaultLimits.headerBytes)}`
  const answer = await sendRaw(port, `GET / HTTP/1.1\r\nhost: localhost\r\n${header}\r\n\r\n`)
  assert.match(answer, /^HTTP\/1\.1 431/)
})

test('listening: a request that does not arrive in time is ended', async (t) => {
  const { port } = await listening(t, { limits: { requestTimeoutMs: 50 } })
  const head = 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\n{'
  assert.match(await sendRaw(port, head), /^HTTP\/1\.1 408/)
})

test('listening: close answers what is in hand first', async () => {
  const started = Promise.withResolvers<void>()
  const release = Promise.withResolvers<string>()
  const wait = () => {
    started.resolve()
    return release.promise
  }
  const gateway = await createGateway(optionsWith({ methods: { wait } }))
  const answer = fetch(gateway.url, { method: 'POST', body: JSON.stringify(request('wait')) })
  await started.promise
  const closed = gateway.close()
  release.resolve('done')
  assert.equal(((await (await answer).json()) as { result: unknown }).result, 'done')
  await closed
})
