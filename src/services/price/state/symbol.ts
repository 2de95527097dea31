import { DomainError, utf8 } from '#primitives'

/** What a task asks for: the price of BASE in QUOTE, such as `ETH/USD`. */
export type PriceSymbol = string

/** Bytes of a symbol: it must fit a `bytes32` of L1 with a zero behind it. */
export const symbolBytes = { min: 3, max: 31 } as const

/** What a symbol looks like, for people. */
export const symbolShape = 'BASE/QUOTE of capital letters and digits, 3 to 31 bytes, e.g. ETH/USD'

/** The symbol that a payload asks for; undefined when it is none. */
export function symbolOf(payload: Uint8Array): PriceSymbol | undefined {
  if (payload.length < symbolBytes.min || payload.length > symbolBytes.max) return undefined
  const text = String.fromCharCode(...payload)
  return /^[A-Z0-9]+\/[A-Z0-9]+$/.test(text) ? text : undefined
}

/**
 * A symbol as a task's payload.
 *
 * @throws SymbolError when the service would refuse it.
 */
export function encodeSymbol(symbol: PriceSymbol): Uint8Array {
  const payload = utf8(symbol)
  if (symbolOf(payload) !== symbol) throw new SymbolError(`not ${symbolShape}`, { symbol })
  return payload
}

/** A text that is no symbol of this service. */
export class SymbolError extends DomainError<'BadSymbol', { symbol: string }> {
  override readonly code = 'BadSymbol'
}
