import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { RpcError, type RpcMethod, rpcCodes } from '#api'
import { DomainError, type Logger } from '#primitives'
import { defaultLimits, type GatewayLimits, isAllowedHost, loopbackHosts } from './limits.ts'
import { pageHeaders, pageHtml } from './page.ts'
import { answerRpc, type CallReport, type RpcAnswer, refuse, tooLarge } from './rpc-handler.ts'

/** Whether the operator runs, and whether it serves; `reason` says why not. */
export type Health = { readonly live: boolean; readonly ready: boolean; readonly reason?: string }

/** Text for a Prometheus scrape. */
export type MetricsSource = {
  readonly contentType: string
  text(): Promise<string>
}

/** What a gateway serves, where, and to whom. */
export type GatewayOptions = {
  /** Address to bind; 127.0.0.1 unless told otherwise. */
  readonly host?: string
  /** 0 picks a free one. */
  readonly port: number
  /** JSON-RPC methods by name. */
  readonly methods: Readonly<Record<string, RpcMethod>>
  readonly health: () => Health
  readonly metrics: MetricsSource
  /** Told of every finished call. */
  readonly observe?: (report: CallReport) => void
  readonly limits?: Partial<GatewayLimits>
  /** Names that a `Host` header may hold, without port; loopback names unless told otherwise. */
  readonly allowedHosts?: readonly string[]
  readonly logger: Logger
}

/** A listening gateway. */
export type Gateway = {
  readonly url: string
  readonly port: number
  /** Stops listening, gives up long calls, and returns when requests in hand are answered. */
  close(): Promise<void>
}

/**
 * An operator's HTTP face: `POST /` JSON-RPC, `GET /` the page, `/livez`, `/readyz`, `/metrics`.
 *
 * @throws PortInUseError, ListenFailedError when it cannot listen.
 */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const host = options.host ?? '127.0.0.1'
  const server = buildServer(options)
  await listen(server, host, options.port)
  const address = server.server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const name = host.includes(':') ? `[${host}]` : host
  return { url: `http://${name}:${port}`, port, close: () => server.close() }
}

/** The routes, not yet listening. */
export function buildServer(options: GatewayOptions): FastifyInstance {
  const limits = { ...defaultLimits, ...options.limits }
  const server = Fastify({
    bodyLimit: limits.submissionBytes,
    requestTimeout: limits.requestTimeoutMs,
    forceCloseConnections: 'idle',
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, limits.requestTimeoutMs),
    },
  })
  server.server.maxConnections = limits.connections
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  )
  guardHosts(server, options.allowedHosts ?? loopbackHosts)
  reportErrors(server, limits, options.logger)
  allowOrigins(server)
  serveRpc(server, options, limits)
  servePage(server)
  serveProbes(server, options)
  return server
}

function guardHosts(server: FastifyInstance, allowed: readonly string[]): void {
  server.addHook('onRequest', async (request, reply) => {
    if (isAllowedHost(request.headers.host, allowed)) return
    const message = `host not allowed; allowed: ${allowed.join(', ')}`
    return reply.code(403).send({ error: { code: 'HostNotAllowed', message } })
  })
}

/** On every answer of `/`, also on those that no route gives: a body that is too long has none. */
function allowOrigins(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url === '/' && request.method !== 'GET') reply.headers(corsHeaders)
  })
}

function reportErrors(server: FastifyInstance, limits: GatewayLimits, logger: Logger): void {
  server.setErrorHandler((error, _request, reply) => {
    const status = statusOf(error)
    if (status === 413) return send(reply, refuse(413, tooLarge(limits.submissionBytes)))
    if (status < 500)
      return send(reply, refuse(status, new RpcError(rpcCodes.InvalidRequest, 'invalid request')))
    logger.error('a request failed', { error })
    return send(reply, refuse(500, new RpcError(rpcCodes.InternalError, 'internal error')))
  })
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: { code: 'NotFound', message: `allowed: ${routes.join(', ')}` } }),
  )
}

const routes = ['POST /', 'GET /', 'GET /livez', 'GET /readyz', 'GET /metrics'] as const

const statusOf = (error: unknown): number =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500

function serveRpc(server: FastifyInstance, options: GatewayOptions, limits: GatewayLimits): void {
  const { methods, logger, health, observe = () => {} } = options
  const overloaded = new RpcError(rpcCodes.Overloaded, 'too many requests in hand; try again')
  const notReady = (reason = 'not ready') =>
    new RpcError(rpcCodes.NotReady, `this operator does not serve now: ${reason}; try another`)
  const inHand = new Set<AbortController>()
  let overdue = 0
  const onOverdue = (work: Promise<unknown>): void => {
    overdue++
    work.catch(() => {}).finally(() => overdue--) // its caller has had an answer
  }
  server.addHook('preClose', async () => {
    for (const request of inHand) request.abort(notReady('stopping'))
  })
  server.options('/', (_request, reply) => reply.code(204).headers(preflightHeaders).send())
  server.post('/', async (request, reply) => {
    const { ready, reason } = health()
    if (!ready) return send(reply.header('retry-after', '1'), refuse(503, notReady(reason)))
    if (inHand.size + overdue >= limits.requests)
      return send(reply.header('retry-after', '1'), refuse(503, overloaded))
    const service = { methods, limits, logger, observe, onOverdue }
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort(notReady('the client has gone')))
    inHand.add(gone)
    try {
      const body = request.body instanceof Uint8Array ? request.body : new Uint8Array()
      return await send(reply, await answerRpc(service, body, gone.signal))
    } finally {
      inHand.delete(gone)
    }
  })
}

const corsHeaders = { 'access-control-allow-origin': '*' }

/** Lets pages of any origin call: the gateway knows no cookies, and `Host` keeps strangers out. */
const preflightHeaders = {
  ...corsHeaders,
  'access-control-allow-methods': 'POST, OPTIONS',
  'access-control-allow-headers': 'content-type',
  'access-control-allow-private-network': 'true',
  'access-control-max-age': '86400',
}

const send = (reply: FastifyReply, { status, text }: RpcAnswer): FastifyReply =>
  text === undefined
    ? reply.code(status).send()
    : reply.code(status).type('application/json; charset=utf-8').send(text)

function servePage(server: FastifyInstance): void {
  server.get('/', (_request, reply) => reply.headers(pageHeaders).send(pageHtml))
}

function serveProbes(server: FastifyInstance, { health, metrics }: GatewayOptions): void {
  server.get('/livez', (_request, reply) => {
    const { live } = health()
    return reply.code(live ? 200 : 503).send({ live })
  })
  server.get('/readyz', (_request, reply) => {
    const { ready, reason } = health()
    return reply.code(ready ? 200 : 503).send(ready ? { ready } : { ready, reason })
  })
  server.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  )
}

async function listen(server: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await server.listen({ host, port })
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    if (code === 'EADDRINUSE')
      throw new PortInUseError(
        `port ${port} on ${host} is in use; stop what uses it, or choose another port (0: any)`,
        { host, port },
        cause,
      )
    throw new ListenFailedError(`cannot listen on ${host}:${port} (${code})`, { host, port }, cause)
  }
}

/** Another process, or another gateway, listens on the port. */
export class PortInUseError extends DomainError<
  'PortInUse',
  { readonly host: string; readonly port: number }
> {
  override readonly code = 'PortInUse'
}

/** The address cannot be bound: not this machine's, or not permitted. */
export class ListenFailedError extends DomainError<
  'ListenFailed',
  { readonly host: string; readonly port: number }
> {
  override readonly code = 'ListenFailed'
}
