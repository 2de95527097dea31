import { type Clock, concatBytes, fromUtf8 } from '#primitives'
import { type Price, parsePrice } from './state/price.ts'
import type { PriceSymbol } from './state/symbol.ts'

/** Base address of a feed, `http:` or `https:`; the symbol is added as its query. */
export type FeedUrl = string

/** Farther than this from the clock, to either side, and a feed's price is stale. */
export const staleAfterMs = 10_000

/** A feed's answer is one short JSON object; anything longer is none. */
const maxAnswerBytes = 4_096

/** What reading takes from outside: HTTP, time, and how long one feed may take to its last byte. */
export type FeedAccess = {
  readonly fetch: typeof fetch
  readonly clock: Clock
  readonly timeoutMs: number
}

/** A feed's price, or what is wrong with the feed, for people. */
export type Reading =
  | { readonly ok: true; readonly price: Price }
  | { readonly ok: false; readonly problem: string }

/**
 * Reads one feed: GET `url?symbol=ETH%2FUSD` answers
 * `{"symbol":"ETH/USD","price":"3123.45","timeMs":1700000000000}`. Never throws: a feed is a
 * stranger.
 */
export async function readFeed(
  url: FeedUrl,
  symbol: PriceSymbol,
  { fetch, clock, timeoutMs }: FeedAccess,
): Promise<Reading> {
  const controller = new AbortController()
  const cancel = clock.after(timeoutMs, () => controller.abort())
  try {
    const address = new URL(url)
    address.searchParams.set('symbol', symbol)
    const response = await fetch(address, { signal: controller.signal, redirect: 'error' })
    if (response.status !== 200) return failed(`status ${response.status}`)
    const answer: unknown = JSON.parse(fromUtf8(await bodyOf(response)))
    return judge(answer, symbol, clock.nowMs())
  } catch (cause) {
    if (controller.signal.aborted) return failed(`no answer in ${timeoutMs} ms`)
    return failed(reasonOf(cause))
  } finally {
    cancel()
    controller.abort() // frees the connection of an answer that was not read to its end
  }
}

/** Whether an answer is one for this symbol and now. */
function judge(answer: unknown, wanted: PriceSymbol, nowMs: number): Reading {
  if (typeof answer !== 'object' || answer === null) return failed('no object')
  const { symbol, price: text, timeMs } = answer as Record<string, unknown>
  if (symbol !== wanted) return failed('another symbol')
  const price = typeof text === 'string' ? parsePrice(text) : undefined
  if (price === undefined || price <= 0n) return failed('no price')
  if (typeof timeMs !== 'number' || !Number.isSafeInteger(timeMs)) return failed('no time')
  if (Math.abs(nowMs - timeMs) > staleAfterMs) return failed('stale')
  return { ok: true, price }
}

/** The whole body, as long as it is short. */
async function bodyOf(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxAnswerBytes) throw new Error('an answer that is too long')
    chunks.push(chunk)
  }
  return concatBytes(...chunks)
}

/** Fetch hides what went wrong (refused, reset, unknown host) in the cause of its error. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unreachable'
  const { cause } = error
  return cause instanceof Error && cause.message ? cause.message : error.message || 'unreachable'
}

const failed = (problem: string): Reading => ({ ok: false, problem })
