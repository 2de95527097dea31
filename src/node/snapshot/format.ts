import { DomainError, type Hex, sha256Hex } from '#primitives'
import { type Codec, decode, encode, hash32, list, record, uint64 } from '#records'

/** How a snapshot's content is written; changes with it, so that another one is refused. */
export const snapshotFormat = 1

/** Bytes of every chunk but the last. CometBFT carries up to 16 MB. */
export const chunkBytes = 4 * 1024 * 1024

/** Chunks of one snapshot, at most: CometBFT carries 4 MB of metadata. */
const maxChunks = 100_000

/** What an operator says of a snapshot, and checks its chunks by. */
export type SnapshotMetadata = {
  readonly network: Hex
  /** Of the last block in it. */
  readonly height: number
  readonly bytes: number
  /** SHA-256 of each chunk. */
  readonly chunkHashes: readonly Hex[]
}

const metadataCodec: Codec<SnapshotMetadata> = record({
  network: hash32,
  height: uint64,
  bytes: uint64,
  chunkHashes: list(hash32, maxChunks),
})

/** Metadata as operators send it. */
export const encodeMetadata = (metadata: SnapshotMetadata): Uint8Array =>
  encode(metadataCodec, metadata)

/** By what a snapshot is known. */
export const snapshotHash = (metadata: Uint8Array): Hex => sha256Hex(metadata)

/** @throws DomainError when the bytes are no metadata, or their numbers contradict each other. */
export function decodeMetadata(bytes: Uint8Array): SnapshotMetadata {
  const metadata = decode(metadataCodec, bytes)
  if (metadata.chunkHashes.length !== Math.ceil(metadata.bytes / chunkBytes))
    throw new BadSnapshotError(`${metadata.chunkHashes.length} chunks`, {})
  return metadata
}

/** A snapshot's content is malformed, or not that of the ledger that it is said to be. */
export class BadSnapshotError extends DomainError<'BadSnapshot'> {
  override readonly code = 'BadSnapshot'
}
