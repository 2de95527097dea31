import { assert, concatBytes, equalBytes, type Hex, sha256, utf8 } from '#primitives'
import { type Chain, chainCodec } from '#protocol'
import {
  byteList,
  type Codec,
  decode,
  encode,
  hash32,
  list,
  type OperatorId,
  record,
  text,
  uint16,
  uint32,
  uint64,
} from '#records'
import { CorruptStoreError, remedy } from './errors.ts'

/** Whose ledger a file holds, and how it is written. */
export type Owner = {
  readonly format: string
  readonly version: number
  readonly network: Hex
  readonly operator: OperatorId
}

/** Where a table's trie begins. */
export type Root = { readonly id: number; readonly hash: Hex; readonly size: number }

/** The newest committed ledger: everything but the nodes. */
export type Head = {
  readonly height: number
  readonly appHash: Hex
  /** Versions written so far: commits that changed nothing count as none. */
  readonly version: number
  /** Above every id that a node has ever had. */
  readonly nextId: number
  readonly chain: Chain
  /** In the order of `tableNames`. */
  readonly roots: readonly Root[]
}

export const ownerCodec: Codec<Owner> = record({
  format: text(32),
  version: uint32,
  network: hash32,
  operator: uint16,
})

export const headCodec: Codec<Head> = record({
  height: uint64,
  appHash: hash32,
  version: uint64,
  nextId: uint64,
  chain: chainCodec,
  roots: list(record<Root>({ id: uint64, hash: hash32, size: uint64 }), 256),
})

const idBytes = byteList(2 ** 35)

/**
 * Node ids that one version replaced, in the bytes of an SSZ list of `uint64`: there are thousands
 * in a full block. Bounded by the nodes of one commit.
 */
export const replacedCodec: Codec<readonly number[]> = {
  ssz: idBytes.ssz,
  toSsz: (ids: readonly number[]) => {
    const bytes = new Uint8Array(8 * ids.length)
    const view = new DataView(bytes.buffer)
    for (const [place, id] of ids.entries()) {
      assert(Number.isSafeInteger(id) && id >= 0, 'an id')
      view.setUint32(8 * place, id % 2 ** 32, true)
      view.setUint32(8 * place + 4, Math.floor(id / 2 ** 32), true)
    }
    return bytes
  },
  fromSsz: (bytes: Uint8Array) => {
    if (bytes.length % 8 !== 0) throw new Error('not whole ids')
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return Array.from({ length: bytes.length / 8 }, (_, place) => {
      const id = view.getUint32(8 * place + 4, true) * 2 ** 32 + view.getUint32(8 * place, true)
      if (!Number.isSafeInteger(id)) throw new Error('not a safe integer')
      return id
    })
  },
}

/** A single value as it is stored: SHA-256 over its name and bytes, then the bytes. */
export const seal = <T>(codec: Codec<T>, name: string, value: T): Uint8Array =>
  sealBytes(name, encode(codec, value))

/** The same of bytes. */
export const sealBytes = (name: string, bytes: Uint8Array): Uint8Array =>
  concatBytes(sealHash(name, bytes), bytes)

/**
 * Reads a single value back.
 *
 * @throws CorruptStoreError when it is not what was sealed under this name.
 */
export function unseal<T>(codec: Codec<T>, name: string, sealed: Uint8Array, file: string): T {
  const bytes = sealed.subarray(32)
  if (!equalBytes(sealed.subarray(0, 32), sealHash(name, bytes)))
    throw new CorruptStoreError(`${file}: value "${name}": wrong checksum; ${remedy}`, { file })
  return decode(codec, bytes)
}

const sealHash = (name: string, bytes: Uint8Array): Uint8Array => sha256(utf8(`${name}\n`), bytes)
