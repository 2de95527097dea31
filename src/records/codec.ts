import {
  ByteListType,
  ByteVectorType,
  ContainerType,
  ListCompositeType,
  type Type,
  UintBigintType,
  UintNumberType,
} from '@chainsafe/ssz'
import { assert, DomainError, fromHex, fromUtf8, type Hex, toHex, utf8 } from '#primitives'

/**
 * How a value is written as bytes: SSZ of a plain shape, and the mapping between that shape and the
 * record's own type. Encoding is canonical: one value, one byte string.
 */
export type Codec<T> = {
  readonly ssz: Type<unknown>
  readonly toSsz: (value: T) => unknown
  readonly fromSsz: (value: never) => T
}

/** The canonical bytes of a value. A defect when a field is out of its bounds. */
export const encode = <T>(codec: Codec<T>, value: T): Uint8Array =>
  codec.ssz.serialize(codec.toSsz(value))

/** The value of canonical bytes. @throws CodecError when they are malformed. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  try {
    return codec.fromSsz(codec.ssz.deserialize(bytes) as never)
  } catch (cause) {
    throw new CodecError('malformed record', { length: bytes.length }, cause)
  }
}

/** Bytes that are no canonical encoding of the expected record. */
export class CodecError extends DomainError<'BadEncoding', { length: number }> {
  override readonly code = 'BadEncoding'
}

const same = <T>(value: T): T => value

const uint = (bytes: 1 | 2 | 4): Codec<number> => ({
  ssz: new UintNumberType(bytes),
  toSsz: (value: number) => {
    assert(
      Number.isSafeInteger(value) && value >= 0 && value < 2 ** (8 * bytes),
      `uint${8 * bytes}`,
    )
    return value
  },
  fromSsz: same,
})

/** An integer of one byte. */
export const uint8 = uint(1)
/** An integer of two bytes. */
export const uint16 = uint(2)
/** An integer of four bytes. */
export const uint32 = uint(4)

const uint64Ssz = new UintBigintType(8)

/** A count, height, index or time in milliseconds: a safe integer in eight bytes. */
export const uint64: Codec<number> = {
  ssz: uint64Ssz,
  toSsz: (value: number) => {
    assert(Number.isSafeInteger(value) && value >= 0, 'safe non-negative integer')
    return BigInt(value)
  },
  fromSsz: (value: bigint) => {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error('not a safe integer')
    return Number(value)
  },
}

/** The largest amount that a `uint256` holds. */
export const maxUint256 = 2n ** 256n - 1n

/** An amount of 32 bytes, branded by the caller. */
export const uint256 = <T extends bigint = bigint>(): Codec<T> => ({
  ssz: new UintBigintType(32),
  toSsz: (value: T) => {
    // The library would write a larger one, or a negative one, as another number.
    assert(value >= 0n && value <= maxUint256, 'uint256')
    return value
  },
  fromSsz: (value: bigint) => value as T,
})

/** One byte that is 0 or 1. */
export const bool: Codec<boolean> = {
  ssz: new UintNumberType(1),
  toSsz: (value: boolean) => (value ? 1 : 0),
  fromSsz: (value: number) => {
    if (value > 1) throw new Error('not a boolean')
    return value === 1
  },
}

/** Exactly `length` bytes, as hex in the record. */
export const fixedHex = (length: number): Codec<Hex> => ({
  ssz: new ByteVectorType(length),
  toSsz: (value: Hex) => fromHex(value, length),
  fromSsz: (value: Uint8Array) => toHex(value),
})

/** A 32-byte hash or identifier. */
export const hash32 = fixedHex(32)

/** A 20-byte Ethereum address, lower-case. */
export const address = fixedHex(20)

/** Up to `limit` bytes. */
export const byteList = (limit: number): Codec<Uint8Array> => ({
  ssz: new ByteListType(limit),
  toSsz: (value: Uint8Array) => {
    assert(value.length <= limit, `at most ${limit} bytes`)
    return value
  },
  fromSsz: same,
})

/** UTF-8 text of up to `limit` bytes. */
export const text = (limit: number): Codec<string> => ({
  ssz: new ByteListType(limit),
  toSsz: (value: string) => {
    const bytes = utf8(value)
    assert(bytes.length <= limit, `text of at most ${limit} bytes`)
    return bytes
  },
  fromSsz: (value: Uint8Array) => fromUtf8(value),
})

/** One of a closed list of names, written as its index. */
export const oneOf = <const Names extends readonly string[]>(
  names: Names,
): Codec<Names[number]> => ({
  ssz: new UintNumberType(1),
  toSsz: (value: Names[number]) => {
    const index = names.indexOf(value)
    assert(index >= 0, `one of ${names.join(', ')}`)
    return index
  },
  fromSsz: (value: number) => {
    const name = names[value]
    if (name === undefined) throw new Error('unknown name')
    return name
  },
})

/** Up to `limit` items. */
export function list<T>(item: Codec<T>, limit: number): Codec<readonly T[]> {
  // Every item is wrapped in a container so that basic and composite items take one path.
  const wrapped = new ContainerType({ item: item.ssz })
  return {
    ssz: new ListCompositeType(wrapped as never, limit),
    toSsz: (values: readonly T[]) => {
      assert(values.length <= limit, `at most ${limit} items`)
      return values.map((value) => ({ item: item.toSsz(value) }))
    },
    fromSsz: (values: readonly { item: never }[]) =>
      values.map(({ item: one }) => item.fromSsz(one)),
  }
}

/** A value or nothing, as a list of at most one. */
export function optional<T>(item: Codec<T>): Codec<T | undefined> {
  const several = list(item, 1)
  return {
    ssz: several.ssz,
    toSsz: (value: T | undefined) => several.toSsz(value === undefined ? [] : [value]),
    fromSsz: (value: never) => several.fromSsz(value)[0],
  }
}

/** A record with named fields, in the order given. */
export function record<T extends object>(
  fields: {
    readonly [Name in keyof T]-?: Codec<T[Name]>
  },
): Codec<T> {
  // Order: as the fields are written in the record's own codec, which is part of the protocol.
  const names = Object.keys(fields) as (keyof T & string)[]
  const shape = Object.fromEntries(names.map((name) => [name, fields[name].ssz]))
  return {
    ssz: new ContainerType(shape) as Type<unknown>,
    toSsz: (value: T) =>
      Object.fromEntries(names.map((name) => [name, fields[name].toSsz(value[name])])),
    fromSsz: (value: Record<string, never>) =>
      Object.fromEntries(
        names.map((name) => [name, fields[name].fromSsz(value[name] as never)]),
      ) as T,
  }
}

/**
 * A closed union by its `kind`: one byte that says which, then that member's record.
 *
 * @param members - the codec of each kind, in the order of their tags.
 */
export function tagged<T extends { readonly kind: string }>(
  members: {
    readonly [Kind in T['kind']]: Codec<Omit<Extract<T, { kind: Kind }>, 'kind'>>
  },
): Codec<T> {
  // Order: as the members are written in the union's own codec, which is part of the protocol.
  const kinds = oneOf(Object.keys(members))
  const shell = record<{ kind: string; body: Uint8Array }>({
    kind: kinds,
    body: byteList(taggedBodyBytes),
  })
  return {
    ssz: shell.ssz,
    toSsz: ({ kind, ...body }: T) =>
      shell.toSsz({ kind, body: encode(members[kind as T['kind']] as Codec<object>, body) }),
    fromSsz: (value: never) => {
      const { kind, body } = shell.fromSsz(value)
      return { kind, ...decode(members[kind as T['kind']] as Codec<object>, body) } as unknown as T
    },
  }
}

/** No member of a union may be larger: four times what a block may carry. */
const taggedBodyBytes = 4 * 1024 * 1024
