import { concatBytes } from '#primitives'

// The few lines of proto3 that sign bytes and hashes need. Absent and zero are one, so a field with
// its zero value is left out; fields follow each other by number.

/**
 * A varint field (`int32`, `int64`, `uint32`, `uint64`, an enum); negatives as 64-bit complement.
 */
export const varintField = (number: number, value: bigint | number): Uint8Array =>
  BigInt(value) === 0n ? empty : concatBytes(tag(number, 0), varint(BigInt(value)))

/** An `sfixed64` field: 8 bytes, little-endian. */
export function fixedField(number: number, value: bigint | number): Uint8Array {
  if (BigInt(value) === 0n) return empty
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true)
  return concatBytes(tag(number, 1), bytes)
}

/** A `bytes` or `string` field. */
export const bytesField = (number: number, value: Uint8Array): Uint8Array =>
  value.length === 0 ? empty : messageField(number, value)

/** A message field that is there even when the message is empty. */
export const messageField = (number: number, ...parts: readonly Uint8Array[]): Uint8Array =>
  concatBytes(tag(number, 2), delimited(...parts))

/** Bytes behind their length. */
export function delimited(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = concatBytes(...parts)
  return concatBytes(varint(BigInt(whole.length)), whole)
}

/** The body of a `google.protobuf.Timestamp`: seconds rounded down, then nanoseconds above them. */
export function timestamp(timeNs: bigint): Uint8Array {
  const nanos = ((timeNs % second) + second) % second
  return concatBytes(varintField(1, (timeNs - nanos) / second), varintField(2, nanos))
}

const second = 1_000_000_000n
const empty = new Uint8Array()

const tag = (number: number, wireType: number): Uint8Array => varint(BigInt(number * 8 + wireType))

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) + 0x80)
  return Uint8Array.of(...bytes, Number(rest))
}
