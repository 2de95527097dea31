import { DomainError } from './errors.ts'

/**
 * A `0x`-prefixed, lower-case, even-length hexadecimal string. Identifies bytes in records and
 * keys.
 */
export type Hex = `0x${string}`

const encoder = new TextEncoder()
// A leading U+FEFF is text like any other: without ignoreBOM two byte strings would give one text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes as lower-case hex. */
export function toHex(bytes: Uint8Array): Hex {
  let text = '0x'
  for (const byte of bytes) text += hexOfByte[byte]
  return text as Hex
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Hex as bytes.
 *
 * @param length - when given, the exact number of bytes that must come out.
 * @throws HexError when the text is no even-length `0x` hex, or of another length.
 */
export function fromHex(text: string, length?: number): Uint8Array {
  if (!text.startsWith('0x') || text.length % 2 !== 0) throw badHex('not 0x-prefixed hex', text)
  const bytes = new Uint8Array(Math.trunc(text.length / 2) - 1)
  if (length !== undefined && bytes.length !== length) throw badHex(`not ${length} bytes`, text)
  for (let i = 0; i < bytes.length; i++) {
    const high = valueOfDigit[text.charCodeAt(2 * i + 2)]
    const low = valueOfDigit[text.charCodeAt(2 * i + 3)]
    if (high === undefined || low === undefined) throw badHex('not 0x-prefixed hex', text)
    bytes[i] = high * 16 + low
  }
  return bytes
}

/** By character code; undefined for what is no digit. */
const valueOfDigit: readonly (number | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? undefined : value
})

/** Long texts are cut: an error is logged, and anyone can send us megabytes of nonsense. */
const badHex = (message: string, text: string): HexError =>
  new HexError(message, { text: text.slice(0, 100) })

/** The UTF-8 bytes of a text. */
export const utf8 = (text: string): Uint8Array => shortAscii(text) ?? encoder.encode(text)

/** Most keys and names are short and plain: then a loop beats the encoder's setting out. */
function shortAscii(text: string): Uint8Array | undefined {
  if (text.length > 64) return undefined
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127) return undefined
    bytes[i] = code
  }
  return bytes
}

/** The text of UTF-8 bytes; throws TypeError when they are not UTF-8. */
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)

/** All parts in one new array. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Whether both hold the same bytes. Not constant-time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** A non-negative integer as big-endian bytes. @throws HexError when it does not fit. */
export function bigintToBytes(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = value
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  if (rest !== 0n) throw new HexError(`does not fit ${length} bytes`, { text: value.toString() })
  return bytes
}

/** Big-endian bytes as a non-negative integer. */
export function bytesToBigint(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(toHex(bytes))
}

/** A safe non-negative integer as 8 big-endian bytes. @throws HexError when it is none. */
export function uint64Bytes(value: number): Uint8Array {
  if (!Number.isSafeInteger(value)) throw new HexError('not a safe integer', { text: `${value}` })
  return bigintToBytes(BigInt(value), 8)
}

/** A text or integer that cannot be read as the bytes that were asked for. */
export class HexError extends DomainError<'BadHex', { text: string }> {
  override readonly code = 'BadHex'
}
