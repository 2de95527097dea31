import { toHex } from '#primitives'

/**
 * A value as JSON text: bigints become decimal strings, bytes become hex, `undefined` members are
 * left out. So amounts keep every digit in clients whose numbers are doubles.
 */
export const toJson = (value: unknown): string => JSON.stringify(toJsonValue(value)) ?? 'null'

/** The same as plain JSON data. */
export function toJsonValue(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(toJsonValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, toJsonValue(member)]),
  )
}

/**
 * Whether JSON text nests arrays and objects deeper than `limit`. Counted on the text, so that
 * nothing is built for a hostile body; brackets inside strings do not count.
 */
export function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (inString) {
      if (character === '\\') i++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '[' || character === '{') {
      depth++
      if (depth > limit) return true
    } else if (character === ']' || character === '}') depth--
  }
  return false
}
