import { bytesToBigint, concatBytes, type Hex, uint64Bytes, wei } from '#primitives'
import type { AssignedService } from '#protocol'
import type { ServiceSpec, Verdict } from '#records'
import { decodeInt256, encodeInt256, type Price } from './price.ts'
import { type PriceSymbol, symbolOf, symbolShape } from './symbol.ts'

/** Terms that the price service starts with; `consumer` is set where it is deployed. */
export const priceSpec: ServiceSpec & { readonly mode: 'assigned' } = {
  name: 'price',
  mode: 'assigned',
  rule: 'median',
  committee: 4,
  fee: wei(10n ** 15n),
  commitMs: 3_000,
  revealMs: 3_000,
  toleranceBps: 100,
  // An audit reads the feeds some seconds later: what no market moves by in that time is a lie.
  auditToleranceBps: 500,
  requires: [],
  consumer: `0x${'00'.repeat(20)}` as Hex,
}

/**
 * The oracle: a drawn committee reads a price and agrees on the median.
 *
 * Payload: the symbol in ASCII. Result: `int256` in units of 10^-8, above zero. Leaf: see
 * `PriceLeaf`.
 */
export const priceService: AssignedService = {
  spec: priceSpec,
  check: (payload) =>
    symbolOf(payload) ? { ok: true } : refuse('BadSymbol', `not ${symbolShape}`),
  checkResult: (_payload, result) => checkPrice(result),
  toNumber: decodeInt256,
  fromNumber: encodeInt256,
  leafBody: (payload, result, timeMs) =>
    concatBytes(
      concatBytes(payload, new Uint8Array(32 - payload.length)),
      result,
      concatBytes(new Uint8Array(24), uint64Bytes(Math.floor(timeMs / 1000))),
    ),
}

/** What a leaf says: `abi.encode(bytes32 symbol, int256 price, uint64 timeS)`. */
export type PriceLeaf = {
  readonly symbol: PriceSymbol
  readonly price: Price
  /** Block time of the agreement, in seconds. */
  readonly timeS: number
}

/** A leaf's body as `leafBody` wrote it; undefined when it is another service's. */
export function decodePriceLeaf(body: Uint8Array): PriceLeaf | undefined {
  if (body.length !== 96) return undefined
  const end = body.indexOf(0)
  const symbol = symbolOf(body.subarray(0, end))
  const timeS = bytesToBigint(body.subarray(64))
  if (symbol === undefined || timeS > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
  return { symbol, price: decodeInt256(body.subarray(32, 64)), timeS: Number(timeS) }
}

function checkPrice(result: Uint8Array): Verdict {
  if (result.length !== 32) return refuse('BadPrice', 'a price is an int256 of 32 bytes')
  return decodeInt256(result) > 0n ? { ok: true } : refuse('BadPrice', 'a price is above zero')
}

const refuse = (reason: string, detail: string): Verdict => ({ ok: false, reason, detail })
