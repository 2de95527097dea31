import { concatBytes, equalBytes, type Hex, sha256, utf8 } from '#primitives'
import { type Chain, chainCodec } from '#protocol'
import {
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

/** Node ids that one version replaced. Bounded by the nodes of one commit. */
export const replacedCodec: Codec<readonly number[]> = list(uint64, 2 ** 32)

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
