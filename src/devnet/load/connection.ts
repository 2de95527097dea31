import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'

/** What a gateway's HTTP server answered. */
export type HttpAnswer = { readonly status: number; readonly text: string }

/** No whole answer came; `mayHaveArrived` says whether the server may have read the request. */
export type HttpFailure = { readonly failure: string; readonly mayHaveArrived: boolean }

/** Posts JSON over connections that stay open, as wallets do. */
export type Poster = {
  /** Never rejects. */
  post(url: string, body: string): Promise<HttpAnswer | HttpFailure>
  /** Drops all connections. */
  close(): void
}

/** How patient a poster is, and how many connections it keeps. */
export type PosterOptions = {
  /** Silence after which a request is given up. */
  readonly timeoutMs: number
  /** Most connections to one server; requests beyond wait their turn. */
  readonly connections: number
}

/** Connections to any number of servers, all closed together. */
export function createPoster({ timeoutMs, connections }: PosterOptions): Poster {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  return {
    post: (url, body) =>
      new Promise((resolve) => {
        const outgoing = request(url, {
          agent,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        })
        outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error('no answer in time')))
        outgoing.on('error', (error) => resolve(failureOf(error)))
        outgoing.on('response', (incoming) => collect(outgoing, incoming, resolve))
        outgoing.end(body)
      }),
    close: () => agent.destroy(),
  }
}

function collect(
  outgoing: ClientRequest,
  incoming: IncomingMessage,
  resolve: (answer: HttpAnswer | HttpFailure) => void,
): void {
  const parts: Buffer[] = []
  let length = 0
  incoming.on('data', (part: Buffer) => {
    parts.push(part)
    length += part.length
    if (length > maxAnswerBytes) outgoing.destroy(new Error('the answer is too long'))
  })
  incoming.on('error', (error) => resolve(failureOf(error)))
  incoming.on('end', () =>
    resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(parts).toString('utf8') }),
  )
}

/** A batch of proofs is the longest answer there is: far below a megabyte. */
const maxAnswerBytes = 32 * 1024 * 1024

/** Failures of connecting: nobody has read the request. */
const neverSent: readonly string[] = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND']

function failureOf(error: Error): HttpFailure {
  const code = 'code' in error ? String(error.code) : undefined
  return {
    failure: code ?? error.message,
    mayHaveArrived: code === undefined || !neverSent.includes(code),
  }
}
