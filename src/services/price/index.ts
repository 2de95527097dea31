// The oracle: an assigned service.
export { execute, minimumFeeds, TooFewFeedsError } from './execute.ts'
export { type FeedAccess, type FeedUrl, staleAfterMs } from './feed.ts'
export { formatPrice, type Price, parsePrice, priceDecimals } from './state/price.ts'
export { decodePriceLeaf, type PriceLeaf, priceService, priceSpec } from './state/service.ts'
export { encodeSymbol, type PriceSymbol, SymbolError } from './state/symbol.ts'
