import { DomainError } from '#primitives'
import { type FeedAccess, type FeedUrl, readFeed } from './feed.ts'
import { encodeInt256, type Price } from './state/price.ts'
import { SymbolError, symbolOf, symbolShape } from './state/symbol.ts'

/** Feeds that must answer well before an operator says anything. */
export const minimumFeeds = 2

/**
 * What a committee member does for a price task, off-chain: reads all feeds at once and takes the
 * median of those that are reachable, well-formed and fresh.
 *
 * @param payload - one that `priceService.check` accepts.
 * @param feeds - three, of independent sources.
 * @returns the result to report: `int256`, units of 10^-8.
 * @throws TooFewFeedsError, SymbolError.
 */
export async function execute(
  payload: Uint8Array,
  feeds: readonly FeedUrl[],
  access: FeedAccess,
): Promise<Uint8Array> {
  const symbol = symbolOf(payload)
  if (symbol === undefined) throw new SymbolError(`not ${symbolShape}`, { symbol: '' })
  const readings = await Promise.all(feeds.map((url) => readFeed(url, symbol, access)))
  const prices = readings.flatMap((reading) => (reading.ok ? [reading.price] : []))
  if (prices.length >= minimumFeeds) return encodeInt256(median(prices))
  const problems = readings.map((reading, i) => ({
    feed: feeds[i] as FeedUrl,
    problem: reading.ok ? '' : reading.problem,
  }))
  throw new TooFewFeedsError(`${prices.length} of ${feeds.length} feeds usable`, { problems })
}

/** The middle one, or the mean of the two in the middle, rounded down. */
function median(prices: readonly Price[]): Price {
  const ordered = [...prices].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const lower = ordered[Math.floor((ordered.length - 1) / 2)] as Price
  const upper = ordered[Math.floor(ordered.length / 2)] as Price
  return (lower + upper) / 2n
}

/** Fewer feeds than needed gave a usable price; `problem` is empty for those that did. */
export class TooFewFeedsError extends DomainError<
  'TooFewFeeds',
  { problems: readonly { feed: FeedUrl; problem: string }[] }
> {
  override readonly code = 'TooFewFeeds'
}
