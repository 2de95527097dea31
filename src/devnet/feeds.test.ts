import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '#primitives'
import { encodeSymbol, execute, formatPrice, priceService } from '#services/price'
import { FeedsPortError, type PriceFeedsOptions, startPriceFeeds } from './feeds.ts'

const startMs = 1_700_000_000_000

/** Feeds on a clock of the test's own, for the time of one body. */
async function withFeeds(
  options: Partial<PriceFeedsOptions>,
  body: (urls: readonly string[], time: { nowMs: number }) => Promise<void>,
): Promise<void> {
  const time = { nowMs: startMs }
  const feeds = await startPriceFeeds({ seed: 7, nowMs: () => time.nowMs, ...options })
  try {
    await body(feeds.urls, time)
  } finally {
    await feeds.close()
  }
}

type Answer = { symbol: string; price: string; timeMs: number }

async function ask(url: string | undefined, symbol = 'ETH/USD') {
  const response = await fetch(`${url}?symbol=${encodeURIComponent(symbol)}`)
  return { status: response.status, answer: (await response.json()) as Answer }
}

test('feeds: one seed gives one walk, another seed another', async () => {
  const walk = async (seed: number) => {
    const prices: string[] = []
    await withFeeds({ seed }, async ([accurate], time) => {
      for (let second = 0; second < 5; second++) {
        time.nowMs = startMs + 1_000 * second
        prices.push(
          (await ask(accurate)).answer.price,
          (await ask(accurate, 'XYZ/USD')).answer.price,
        )
      }
    })
    return prices
  }
  const first = await walk(1)
  assert.deepEqual(await walk(1), first)
  assert.notDeepEqual(await walk(2), first)
  assert.equal(new Set(first).size, 10)
})

test('feeds: the noisy one stays within 0.2 % of the accurate one', () =>
  withFeeds({}, async ([accurate, noisy], time) => {
    const seen = new Set<string>()
    for (let second = 0; second < 20; second++) {
      time.nowMs = startMs + 1_000 * second
      const truth = Number((await ask(accurate)).answer.price)
      const { answer } = await ask(noisy)
      seen.add(answer.price)
      assert(Math.abs(Number(answer.price) / truth - 1) <= 0.002)
    }
    assert.equal(seen.size, 20)
  }))

test('feeds: the laggy one is late, and now and then fails or is stale', () =>
  withFeeds({}, async ([accurate, , laggy], time) => {
    const { answer: old } = await ask(accurate)
    time.nowMs = startMs + 3_000
    const kinds = { late: 0, stale: 0, failing: 0 }
    for (let i = 0; i < 100; i++) {
      const { status, answer } = await ask(laggy)
      if (status === 503) kinds.failing += 1
      else if (time.nowMs - answer.timeMs > 10_000) kinds.stale += 1
      else {
        assert.deepEqual(answer, old)
        kinds.late += 1
      }
    }
    assert(kinds.late > 60 && kinds.stale > 0 && kinds.failing > 0, JSON.stringify(kinds))
  }))

test('feeds: the price service reads them, whatever the laggy one does', () =>
  withFeeds({}, async (urls, time) => {
    const clock: Clock = { nowMs: () => time.nowMs, after: () => () => {} }
    const payload = encodeSymbol('ETH/USD')
    for (let second = 0; second < 20; second++) {
      time.nowMs = startMs + 1_000 * second
      const result = await execute(payload, urls, { fetch, clock, timeoutMs: 1_000 })
      assert.deepEqual(priceService.checkResult(payload, result), { ok: true })
      const truth = Number((await ask(urls[0])).answer.price)
      const price = Number(formatPrice(priceService.toNumber(result)))
      assert(Math.abs(price / truth - 1) <= 0.01)
    }
  }))

test('feeds: bad requests are told so', () =>
  withFeeds({}, async ([accurate]) => {
    assert.equal((await ask(accurate, 'eth')).status, 400)
    assert.equal((await fetch(accurate ?? '')).status, 400)
    assert.equal((await fetch((accurate ?? '').replace(/0$/, '3'))).status, 404)
    assert.equal((await fetch(`${accurate}?symbol=ETH/USD`, { method: 'POST' })).status, 405)
  }))

test('feeds: a port in use is one clear error', () =>
  withFeeds({}, async ([accurate]) => {
    const port = Number(new URL(accurate ?? '').port)
    await assert.rejects(startPriceFeeds({ port, seed: 1 }), FeedsPortError)
  }))

test('feeds: bound to loopback, gone after close', async () => {
  const feeds = await startPriceFeeds({ seed: 1 })
  assert(feeds.urls.every((url) => url.startsWith('http://127.0.0.1:')))
  await feeds.close()
  await assert.rejects(fetch(`${feeds.urls[0]}?symbol=ETH/USD`))
})
