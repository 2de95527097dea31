// A server of canned JSON-RPC answers: stands for the other side of the wire.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** What a canned method answers: a result, or what `fault` made. */
export type Answer = (params: readonly unknown[]) => unknown

/** A server that counts what it was asked. */
export type CannedServer = {
  readonly url: string
  /** Calls in the order of their arrival. */
  readonly calls: { readonly method: string; readonly params: readonly unknown[] }[]
  /** HTTP status of all answers; anything but 200 answers nothing else. */
  status: number
  /** Stops answering for good: connections are refused from then on. */
  close(): Promise<void>
}

class Fault {
  readonly body: object

  constructor(body: object) {
    this.body = body
  }
}

/** An error answer. */
export const fault = (code: number, message: string, reason?: string): Fault =>
  new Fault({ code, message, ...(reason ? { data: { reason } } : {}) })

/** Serves methods on any free port of this machine until the test ends. */
export async function serveJsonRpc(
  context: TestContext,
  methods: Readonly<Record<string, Answer>>,
): Promise<CannedServer> {
  const canned: CannedServer = { url: '', calls: [], status: 200, close: () => end(server) }
  const server = createServer(async (request, response) => {
    const text = await textOf(request)
    response.writeHead(canned.status, { 'content-type': 'application/json' })
    if (canned.status !== 200) {
      response.end('{}')
      return
    }
    const body = JSON.parse(text) as Call | readonly Call[]
    const isBatch = Array.isArray(body)
    const answers = (isBatch ? body : [body]).map((call: Call) => answer(canned, methods, call))
    response.end(JSON.stringify(isBatch ? answers : answers[0]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => end(server))
  const { port } = server.address() as AddressInfo
  return Object.assign(canned, { url: `http://127.0.0.1:${port}` })
}

type Call = { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] }

function answer(
  canned: CannedServer,
  methods: Readonly<Record<string, Answer>>,
  { id, method, params }: Call,
): object {
  canned.calls.push({ method, params })
  const run = methods[method]
  const value = run ? run(params) : fault(-32601, `no ${method} here`)
  return {
    jsonrpc: '2.0',
    id,
    ...(value instanceof Fault ? { error: value.body } : { result: value }),
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
