import { hash } from 'node:crypto'
import { concatBytes, fromHex, type Hex } from '#primitives'
import { byteList, type Codec, list } from '#records'

/** Most bytes of one part of a block. */
export const partBytes = 64 * 1024

/** Most parts of one block: what is around its transactions, and they with their offsets. */
export const maxParts = 32

/** The parts of a body, as they travel and are stored. */
export const partsCodec: Codec<readonly Uint8Array[]> = list(byteList(partBytes), maxParts)

/** Bytes in pieces of one size, the last one smaller; they share its memory. */
export const pieces = (bytes: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / partBytes) }, (_, i) =>
    bytes.subarray(i * partBytes, (i + 1) * partBytes),
  )

/** The name of a part: its SHA-256. */
export const partName = (part: Uint8Array): Hex => `0x${hash('sha256', part, 'hex')}`

/** What a header says of a body: SHA-256 over the names of all its parts. */
export const bodyHash = (names: readonly Hex[]): Hex =>
  `0x${hash('sha256', concatBytes(...names.map((name) => fromHex(name, 32))), 'hex')}`

/** Bytes of all parts together. */
export const sizeOfParts = (parts: readonly Uint8Array[]): number =>
  parts.reduce((sum, { length }) => sum + length, 0)
