import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Clock } from '#primitives'
import { wallClock } from '../../../test/support/wall-clock.ts'
import {
  encodeSymbol,
  execute,
  formatPrice,
  priceService,
  SymbolError,
  TooFewFeedsError,
} from './index.ts'

const nowMs = 1_700_000_000_000
/** Wall time stands still; timers are real. */
const clock: Clock = { ...wallClock, nowMs: () => nowMs }
const payload = encodeSymbol('ETH/USD')

type Feed = (response: ServerResponse, url: URL) => void

const saying =
  (answer: unknown, status = 200): Feed =>
  (response) =>
    response.writeHead(status).end(typeof answer === 'string' ? answer : JSON.stringify(answer))

const good = (price: string, ageMs = 0): Feed =>
  saying({ symbol: 'ETH/USD', price, timeMs: nowMs - ageMs })

/** The price that comes of these feeds, served on loopback for the time of one task. */
async function priceOf(feeds: readonly Feed[], timers = clock): Promise<string> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    feeds[Number(url.pathname.slice(1))]?.(response, url)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const urls = feeds.map((_, i) => `http://127.0.0.1:${port}/${i}`)
  try {
    const result = await execute(payload, urls, { fetch, clock: timers, timeoutMs: 600_000 })
    return formatPrice(priceService.toNumber(result))
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

test('execute: takes the median of three', async () => {
  assert.equal(await priceOf([good('3123.45'), good('1'), good('99999')]), '3123.45000000')
})

test('execute: takes the mean of two, rounded down', async () => {
  const feeds = [good('10.00000001'), saying('broken'), good('20.00000002')]
  assert.equal(await priceOf(feeds), '15.00000001')
})

test('execute: asks for the symbol in the query', async () => {
  const asked: (string | null)[] = []
  const listening: Feed = (response, url) => {
    asked.push(url.searchParams.get('symbol'))
    good('5')(response, url)
  }
  assert.equal(await priceOf([listening, listening, listening]), '5.00000000')
  assert.deepEqual(asked, ['ETH/USD', 'ETH/USD', 'ETH/USD'])
})

const answer = { symbol: 'ETH/USD', price: '1000000', timeMs: nowMs }
const unusable: Readonly<Record<string, Feed>> = {
  'older than 10 s': good('1000000', 10_001),
  'more than 10 s ahead': good('1000000', -10_001),
  'no JSON': saying('<html>'),
  'no UTF-8': (response) => response.end(Buffer.from([0xff, 0xfe])),
  'JSON null': saying('null'),
  'an array': saying([answer]),
  'another symbol': saying({ ...answer, symbol: 'BTC/USD' }),
  'no price': saying({ symbol: 'ETH/USD', timeMs: nowMs }),
  'a price that is no text': saying({ ...answer, price: 1000000 }),
  'a price with an exponent': saying({ ...answer, price: '1e6' }),
  'a price below zero': saying({ ...answer, price: '-1' }),
  'a price of zero': saying({ ...answer, price: '0.000000001' }),
  'no time': saying({ ...answer, timeMs: undefined }),
  'a time that is no integer': saying({ ...answer, timeMs: 0.5 }),
  'an error status': saying(answer, 500),
  'an empty success': saying(answer, 204),
  'a redirect': (response) => response.writeHead(302, { location: '/0' }).end(),
  'an endless answer': saying(' '.repeat(5_000) + JSON.stringify(answer)),
  'a broken connection': (response) => response.destroy(),
}

for (const [name, feed] of Object.entries(unusable))
  test(`execute: a feed does not count: ${name}`, async () => {
    assert.equal(await priceOf([good('10'), feed, good('20')]), '15.00000000')
    await assert.rejects(priceOf([feed, good('20'), feed]), TooFewFeedsError)
  })

test('execute: a feed of exactly 10 s counts', async () => {
  assert.equal(await priceOf([good('10', 10_000), good('20'), saying('')]), '15.00000000')
})

test('execute: a feed that never answers is given up', async () => {
  const silent: Feed = () => {}
  const halfway: Feed = (response) => response.writeHead(200).write('{')
  for (const feed of [silent, halfway])
    assert.equal(await priceOf([good('10'), feed, good('20')], impatient()), '15.00000000')
})

/** Time is over for the last one that waits when all others have been answered. */
function impatient(): Clock {
  const waiting = new Set<() => void>()
  return {
    ...clock,
    after: (_, giveUp) => {
      waiting.add(giveUp)
      return () => {
        if (waiting.delete(giveUp) && waiting.size === 1) for (const last of waiting) last()
      }
    },
  }
}

test('execute: too few feeds says what is wrong with each', async () => {
  const url = 'http://127.0.0.1:1/'
  const access = { fetch, clock, timeoutMs: 500 }
  await assert.rejects(execute(payload, [url, 'no address', url], access), (error) => {
    assert(error instanceof TooFewFeedsError)
    assert.equal(error.code, 'TooFewFeeds')
    assert.deepEqual(
      error.details.problems.map(({ feed }) => feed),
      [url, 'no address', url],
    )
    assert(error.details.problems.every(({ problem }) => problem.length > 0))
    return true
  })
  await assert.rejects(execute(payload, [], access), TooFewFeedsError)
})

test('execute: a payload that is no symbol is refused before anything is asked', async () => {
  const access = { fetch: () => assert.fail('asked'), clock, timeoutMs: 500 }
  await assert.rejects(execute(new Uint8Array(2), ['http://127.0.0.1:1/'], access), SymbolError)
})
