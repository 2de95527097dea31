import { concatBytes } from './bytes.ts'
import { DomainError } from './errors.ts'

/** A decoded RLP value: bytes, or a list of values (Ethereum yellow paper, appendix B). */
export type RlpItem = Uint8Array | readonly RlpItem[]

/**
 * Deepest nesting that is read: transactions have four levels (transaction, list, entry, list),
 * trie nodes and headers three. It keeps hostile bytes from filling the stack.
 */
const maxDepth = 5

/** RLP of a byte string. */
export function rlpBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 1 && (bytes[0] as number) < 0x80) return bytes
  return concatBytes(header(bytes.length, 0x80), bytes)
}

/** RLP of a list whose items are encoded already. */
export function rlpList(encodedItems: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const item of encodedItems) length += item.length
  return concatBytes(header(length, 0xc0), ...encodedItems)
}

/** RLP of a non-negative integer: big-endian without leading zeros, zero as the empty string. */
export const rlpInteger = (value: bigint | number): Uint8Array =>
  rlpBytes(integerBytes(BigInt(value)))

/** Big-endian bytes of a non-negative integer without leading zeros; none for zero. */
export function integerBytes(value: bigint): Uint8Array {
  let length = 0
  for (let rest = value; rest > 0n; rest >>= 8n) length++
  const bytes = new Uint8Array(length)
  let rest = value
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

function header(length: number, offset: number): Uint8Array {
  if (length <= 55) return Uint8Array.of(offset + length)
  const size = integerBytes(BigInt(length))
  return concatBytes(Uint8Array.of(offset + 55 + size.length), size)
}

/** The value of canonical RLP bytes. @throws RlpError when they are anything else. */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const { item, end } = decodeAt(bytes, 0, bytes.length, 0)
  if (end !== bytes.length) throw new RlpError('bytes after the value', { offset: end })
  return item
}

type Decoded = { readonly item: RlpItem; readonly end: number }

function decodeAt(bytes: Uint8Array, at: number, limit: number, depth: number): Decoded {
  if (at >= limit) throw new RlpError('value is cut off', { offset: at })
  const first = bytes[at] as number
  if (first < 0x80) return { item: bytes.subarray(at, at + 1), end: at + 1 }
  const offset = first < 0xc0 ? 0x80 : 0xc0
  const { start, end } = extent(bytes, at, first - offset, limit)
  if (offset === 0xc0) return { item: decodeList(bytes, start, end, depth + 1), end }
  if (end - start === 1 && (bytes[start] as number) < 0x80)
    throw new RlpError('one small byte with a header', { offset: at })
  return { item: bytes.subarray(start, end), end }
}

function decodeList(bytes: Uint8Array, start: number, end: number, depth: number): RlpItem[] {
  if (depth > maxDepth) throw new RlpError('nested too deeply', { offset: start })
  const items: RlpItem[] = []
  for (let at = start; at < end; ) {
    const decoded = decodeAt(bytes, at, end, depth)
    items.push(decoded.item)
    at = decoded.end
  }
  return items
}

/** Where the content of a value begins and ends, from the length part of its first byte. */
function extent(bytes: Uint8Array, at: number, code: number, limit: number) {
  const lengthBytes = code <= 55 ? 0 : code - 55
  const start = at + 1 + lengthBytes
  let length = code
  if (lengthBytes > 0) {
    if (lengthBytes > 6 || start > limit) throw new RlpError('bad length', { offset: at })
    length = 0
    for (let i = at + 1; i < start; i++) length = length * 256 + (bytes[i] as number)
    if (length <= 55 || bytes[at + 1] === 0)
      throw new RlpError('length not minimal', { offset: at })
  }
  if (start + length > limit) throw new RlpError('value is cut off', { offset: at })
  return { start, end: start + length }
}

/** Bytes that are no canonical RLP. */
export class RlpError extends DomainError<'BadRlp', { offset: number }> {
  override readonly code = 'BadRlp'
}
