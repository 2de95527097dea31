import {
  BaseError,
  createPublicClient,
  HttpRequestError,
  type HttpTransport,
  http,
  type PublicClient,
  TimeoutError,
} from 'viem'

/** A connection to one L1 node over JSON-RPC. Never retries by itself: who asks decides that. */
export type L1Client = PublicClient<HttpTransport>

/**
 * A client of the node at `rpcUrl`. Requests of one turn travel in one HTTP request.
 *
 * @param timeoutMs - how long one request may take before it counts as an outage.
 */
export const createL1Client = (rpcUrl: string, timeoutMs = 5_000): L1Client =>
  createPublicClient({
    transport: http(rpcUrl, { retryCount: 0, timeout: timeoutMs, batch: true }),
    cacheTime: 0,
  })

/** Whether the node did not answer at all: what was sent may or may not have arrived. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof BaseError &&
  error.walk((cause) => cause instanceof HttpRequestError || cause instanceof TimeoutError) !== null

/** What the node said, in one line, without the request. */
export function rpcMessage(error: unknown): string {
  const text =
    error instanceof BaseError ? error.details || error.shortMessage : String(error ?? 'unknown')
  return (text.split('\n')[0] ?? '').slice(0, maxMessageLength)
}

/** A node may answer with a page of HTML; a log line needs its beginning. */
const maxMessageLength = 200

/**
 * How long to wait before asking again: the usual pause, doubled for every failure in a row.
 *
 * @returns milliseconds; an outage is probed at least every 5 s.
 */
export const pauseBefore = (usualMs: number, failures: number): number =>
  failures === 0 ? usualMs : Math.min(usualMs * 2 ** Math.min(failures, 16), 5_000)
