// Price feeds for the devnet's oracle: three sources of different quality on one loopback server.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DomainError, randomStream, sha256, utf8 } from '#primitives'
import { encodeSymbol } from '#services/price'

/** Three feeds; `close` ends the server and its connections. */
export type PriceFeeds = {
  /** Accurate, noisy (±0.2 %), and laggy (3 s late, a fifth of its answers failing or stale). */
  readonly urls: readonly [accurate: string, noisy: string, laggy: string]
  close(): Promise<void>
}

/** Where the feeds listen, and what their prices follow from. */
export type PriceFeedsOptions = {
  /** 0 or absent: any free port. */
  readonly port?: number
  /** Same seed, same prices from start on, and the same faults in the order of requests. */
  readonly seed: number
  /** Wall clock in milliseconds since the epoch. */
  readonly nowMs?: () => number
}

/**
 * Starts the feeds. GET `/feed/0|1|2?symbol=ETH%2FUSD` answers `{"symbol","price","timeMs"}`; any
 * symbol of the price service has a price, which walks at random, one step a second.
 *
 * @throws FeedsPortError when the port is in use.
 */
export async function startPriceFeeds(options: PriceFeedsOptions): Promise<PriceFeeds> {
  const { port = 0, seed, nowMs = Date.now } = options
  const market = createMarket(seed, nowMs())
  const chance = chanceFrom(`${seed}/faults`)
  const server = createServer((request, response) =>
    respond(request, response, (feed, symbol) => quote(market, feed, symbol, nowMs(), chance)),
  )
  await listen(server, port)
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed`
  return {
    urls: [`${base}/0`, `${base}/1`, `${base}/2`],
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

type Answer = { readonly status: number; readonly body: object }
type Quote = (feed: number, symbol: string) => Answer

function respond(request: IncomingMessage, response: ServerResponse, quote: Quote): void {
  const { status, body } = route(request, quote)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function route({ method, url = '' }: IncomingMessage, quote: Quote): Answer {
  if (method !== 'GET') return { status: 405, body: { error: 'only GET' } }
  const address = URL.parse(url, 'http://127.0.0.1')
  const match = /^\/feed\/([012])$/.exec(address?.pathname ?? '')
  const symbol = address?.searchParams.get('symbol') ?? ''
  if (!match) return { status: 404, body: { error: 'feeds are /feed/0, /feed/1 and /feed/2' } }
  if (!isSymbol(symbol)) return { status: 400, body: { error: 'no symbol such as ETH/USD' } }
  return quote(Number(match[1]), symbol)
}

function isSymbol(symbol: string): boolean {
  try {
    return encodeSymbol(symbol).length > 0
  } catch {
    return false
  }
}

/** What each feed makes of the true price. */
function quote(
  market: Market,
  feed: number,
  symbol: string,
  timeMs: number,
  chance: Chance,
): Answer {
  if (feed === 0) return priced(symbol, market.priceAt(symbol, timeMs), timeMs)
  if (feed === 1) {
    const noise = 1 + noiseShare * (2 * chance() - 1)
    return priced(symbol, market.priceAt(symbol, timeMs) * noise, timeMs)
  }
  const fault = chance()
  if (fault < failingShare) return { status: 503, body: { error: 'out of order' } }
  const lagMs = fault < failingShare + staleShare ? staleMs : laggyMs
  return priced(symbol, market.priceAt(symbol, timeMs - lagMs), timeMs - lagMs)
}

const noiseShare = 0.002
const failingShare = 0.1
const staleShare = 0.1
const laggyMs = 3_000
const staleMs = 60_000

const priced = (symbol: string, price: number, timeMs: number): Answer => ({
  status: 200,
  body: { symbol, price: price.toFixed(8), timeMs },
})

/** The true price of every symbol at every time from `startMs` on; before that, the first. */
type Market = { priceAt(symbol: string, timeMs: number): number }

function createMarket(seed: number, startMs: number): Market {
  const walks = new Map<string, { readonly prices: number[]; readonly chance: Chance }>()
  return {
    priceAt(symbol, timeMs) {
      const walk = walks.get(symbol) ?? startWalk(seed, symbol)
      if (walks.size < maxWalks) walks.set(symbol, walk)
      const step = Math.max(0, Math.floor((timeMs - startMs) / stepMs))
      while (walk.prices.length <= step) {
        const last = walk.prices.at(-1) ?? 1
        walk.prices.push(last * (1 + volatility * (2 * walk.chance() - 1)))
      }
      return walk.prices[step] ?? 1
    },
  }
}

/** One step a second, each of at most 0.05 %; symbols remembered (others start anew each time). */
const stepMs = 1_000
const volatility = 0.0005
const maxWalks = 256

function startWalk(seed: number, symbol: string) {
  const chance = chanceFrom(`${seed}/${symbol}`)
  return { prices: [knownPrices[symbol] ?? 1 + 999 * chance()], chance }
}

const knownPrices: Readonly<Record<string, number>> = {
  'BTC/USD': 60_000,
  'ETH/USD': 3_000,
  'EUR/USD': 1.1,
}

/** The next number of a sequence, from 0 up to 1. */
type Chance = () => number

function chanceFrom(name: string): Chance {
  const stream = randomStream(sha256(utf8(name)))
  return () => stream.nextBelow(2 ** 48) / 2 ** 48
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new FeedsPortError(`price feeds cannot listen on port ${port}`, { port }, cause)),
    )
    server.listen(port, '127.0.0.1', resolve)
  })

/** The feeds' port is in use or not allowed. */
export class FeedsPortError extends DomainError<'FeedsPort', { port: number }> {
  override readonly code = 'FeedsPort'
}
