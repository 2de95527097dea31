import { assert, bigintToBytes, concatBytes, DomainError } from '#primitives'

/** An RLP item: bytes, or a list of items. */
export type RlpItem = Uint8Array | readonly RlpItem[]

/** Deepest nesting that is read; headers and trie nodes need three levels. */
const maxRlpDepth = 16

/**
 * Decodes one canonical RLP item that fills the input (Ethereum yellow paper, appendix B).
 *
 * @throws RlpError when the bytes are cut short, too long, or not in shortest form.
 */
export function decodeRlp(bytes: Uint8Array): RlpItem {
  const { item, end } = readItem(bytes, 0, 0)
  if (end !== bytes.length) throw new RlpError('bytes after the item', { offset: end })
  return item
}

/** A non-negative integer as an RLP string: the trie key of a transaction index. */
export function encodeRlpInteger(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 0, 'safe non-negative integer')
  if (value === 0) return Uint8Array.of(0x80)
  if (value < 0x80) return Uint8Array.of(value)
  const length = Math.ceil(value.toString(16).length / 2)
  return concatBytes(Uint8Array.of(0x80 + length), bigintToBytes(BigInt(value), length))
}

function readItem(bytes: Uint8Array, at: number, depth: number): { item: RlpItem; end: number } {
  const prefix = bytes[at]
  if (prefix === undefined || depth > maxRlpDepth) throw new RlpError('no item', { offset: at })
  if (prefix < 0x80) return { item: bytes.subarray(at, at + 1), end: at + 1 }
  const { start, end } = contentOf(bytes, at, prefix)
  if (prefix >= 0xc0) return { item: readList(bytes, start, end, depth + 1), end }
  const item = bytes.subarray(start, end)
  if (item.length === 1 && (item[0] as number) < 0x80)
    throw new RlpError('not in shortest form', { offset: at })
  return { item, end }
}

function readList(bytes: Uint8Array, start: number, end: number, depth: number): RlpItem[] {
  const items: RlpItem[] = []
  let at = start
  while (at < end) {
    const next = readItem(bytes.subarray(0, end), at, depth)
    items.push(next.item)
    at = next.end
  }
  return items
}

/** Where the content of a string (prefix 0x80 up) or list (0xc0 up) lies. */
function contentOf(bytes: Uint8Array, at: number, prefix: number): { start: number; end: number } {
  const short = prefix - (prefix >= 0xc0 ? 0xc0 : 0x80)
  const lengthBytes = Math.max(0, short - 55)
  const start = at + 1 + lengthBytes
  const length = lengthBytes === 0 ? short : longLength(bytes, at + 1, lengthBytes)
  if (start + length > bytes.length) throw new RlpError('cut short', { offset: at })
  return { start, end: start + length }
}

function longLength(bytes: Uint8Array, at: number, lengthBytes: number): number {
  if (lengthBytes > 4) throw new RlpError('too long', { offset: at })
  const length = bytes.subarray(at, at + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0)
  if (length <= 55 || bytes[at] === 0) throw new RlpError('not in shortest form', { offset: at })
  return length
}

/** Bytes that are no canonical RLP. */
export class RlpError extends DomainError<'BadRlp', { readonly offset: number }> {
  override readonly code = 'BadRlp'
}
