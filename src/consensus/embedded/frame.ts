import { assert } from '#primitives'
import { crc32c } from './crc32c.ts'

/**
 * How a record lies in a file: length (4 bytes), CRC-32C of the payload (4), CRC-32C of these eight
 * bytes (4), payload. The head has a checksum of its own, so that a damaged length is known from a
 * record that was never written to its end.
 */
export function frame(payload: Uint8Array): Uint8Array {
  assert(payload.length <= maxRecordBytes, 'record within its bound')
  const whole = new Uint8Array(frameHeadBytes + payload.length)
  const view = new DataView(whole.buffer)
  view.setUint32(0, payload.length)
  view.setUint32(4, crc32c(payload))
  view.setUint32(8, crc32c(whole.subarray(0, 8)))
  whole.set(payload, frameHeadBytes)
  return whole
}

/** No record is larger: a block with its commit, several times over. */
export const maxRecordBytes = 16 * 1024 * 1024

/** Bytes before the payload. */
export const frameHeadBytes = 12

/** The record at the beginning of some bytes. */
export type Framed =
  | { readonly kind: 'record'; readonly payload: Uint8Array; readonly bytes: number }
  /** More bytes are needed: `bytes` in all, as far as one can tell. */
  | { readonly kind: 'incomplete'; readonly bytes: number }
  | { readonly kind: 'damaged' }

/** Reads the record at the beginning of `held`; the payload shares its memory. */
export function unframe(held: Uint8Array): Framed {
  if (held.length < frameHeadBytes) return { kind: 'incomplete', bytes: frameHeadBytes }
  const view = new DataView(held.buffer, held.byteOffset, frameHeadBytes)
  if (crc32c(held.subarray(0, 8)) !== view.getUint32(8)) return { kind: 'damaged' }
  const length = view.getUint32(0)
  if (length > maxRecordBytes) return { kind: 'damaged' }
  const bytes = frameHeadBytes + length
  if (held.length < bytes) return { kind: 'incomplete', bytes }
  const payload = held.subarray(frameHeadBytes, bytes)
  if (crc32c(payload) !== view.getUint32(4)) return { kind: 'damaged' }
  return { kind: 'record', payload, bytes }
}
