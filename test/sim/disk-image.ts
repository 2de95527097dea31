import { deserialize, serialize } from 'node:v8'
import { frame, frameHeadBytes, unframe } from '#consensus'
import { concatBytes } from '#primitives'
import type { Chance } from './chance.ts'

/** Records as they lie in a file: framed as the product frames its own. */
export const toImage = (records: readonly unknown[]): Uint8Array =>
  concatBytes(...records.map((record) => frame(serialize(record))))

/**
 * What opening a file gives: its records before the first damage, as the product reads them.
 *
 * @param isChecked - whether checksums are looked at; a control does without.
 */
export function readImage<T>(image: Uint8Array, isChecked: boolean): readonly T[] {
  const records: T[] = []
  for (let rest = image; rest.length > 0; ) {
    const payload = isChecked ? payloadOf(rest) : uncheckedPayloadOf(rest)
    const record = payload && tryDeserialize(payload)
    if (!payload || record === undefined) break
    records.push(record as T)
    rest = rest.subarray(frameHeadBytes + payload.length)
  }
  return records
}

/** Inverts one bit, somewhere. */
export function flipBit(image: Uint8Array, chance: Chance): void {
  if (image.length === 0) return
  const place = chance.below(image.length)
  image[place] = (image[place] as number) ^ (1 << chance.below(8))
}

/**
 * What the power leaves of writes that were not synced: a beginning of them, and in half of all
 * cases not even that whole, since a disk writes its sectors in any order.
 */
export function tear(image: Uint8Array, syncedBytes: number, chance: Chance): Uint8Array {
  const left = image.slice(0, syncedBytes + chance.below(image.length - syncedBytes + 1))
  const torn = left.length - syncedBytes
  if (torn > 0 && chance.hits(500)) {
    const from = syncedBytes + chance.below(torn)
    left.fill(0, from, from + 1 + chance.below(sectorBytes))
  }
  return left
}

const sectorBytes = 512

function payloadOf(rest: Uint8Array): Uint8Array | undefined {
  const framed = unframe(rest)
  return framed.kind === 'record' ? framed.payload : undefined
}

function uncheckedPayloadOf(rest: Uint8Array): Uint8Array | undefined {
  if (rest.length < frameHeadBytes) return undefined
  const bytes = new DataView(rest.buffer, rest.byteOffset).getUint32(0)
  return rest.length < frameHeadBytes + bytes
    ? undefined
    : rest.subarray(frameHeadBytes, frameHeadBytes + bytes)
}

function tryDeserialize(payload: Uint8Array): unknown {
  try {
    return deserialize(payload)
  } catch {
    return undefined
  }
}
