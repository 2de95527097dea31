import { concatBytes, fromHex, type Hex, toHex, utf8 } from '#primitives'
import { merkleRoot } from './merkle-root.ts'
import { bytesField, messageField, timestamp, varintField } from './protobuf.ts'

/** What a block is called: the hash of its header, and of the parts in which it travelled. */
export type BlockReference = {
  readonly hash: Hex
  readonly parts: { readonly total: number; readonly hash: Hex }
}

/** The header of a CometBFT block. A hash that is not there is `0x`. */
export type LightHeader = {
  readonly blockVersion: bigint
  readonly appVersion: bigint
  readonly chainId: string
  readonly height: number
  /** BFT time, nanoseconds since 1970. */
  readonly timeNs: bigint
  /** Undefined in the first block. */
  readonly lastBlock: BlockReference | undefined
  readonly lastCommitHash: Hex
  readonly dataHash: Hex
  readonly validatorsHash: Hex
  readonly nextValidatorsHash: Hex
  readonly consensusHash: Hex
  readonly appHash: Hex
  readonly lastResultsHash: Hex
  readonly evidenceHash: Hex
  readonly proposerAddress: Hex
}

/**
 * The hash that names a block: the Merkle root over its header's fields, each in protobuf.
 *
 * @see CometBFT specification, core/data_structures, Header
 */
export const headerHash = (header: LightHeader): Hex =>
  toHex(
    merkleRoot([
      concatBytes(varintField(1, header.blockVersion), varintField(2, header.appVersion)),
      bytesField(1, utf8(header.chainId)),
      varintField(1, header.height),
      timestamp(header.timeNs),
      referenceBytes(header.lastBlock ?? noReference),
      ...[
        header.lastCommitHash,
        header.dataHash,
        header.validatorsHash,
        header.nextValidatorsHash,
        header.consensusHash,
        header.appHash,
        header.lastResultsHash,
        header.evidenceHash,
        header.proposerAddress,
      ].map((hash) => bytesField(1, fromHex(hash))),
    ]),
  )

/** The body of a `BlockID`. */
export const referenceBytes = ({ hash, parts }: BlockReference): Uint8Array =>
  concatBytes(
    bytesField(1, fromHex(hash)),
    messageField(2, varintField(1, parts.total), bytesField(2, fromHex(parts.hash))),
  )

const noReference: BlockReference = { hash: '0x', parts: { total: 0, hash: '0x' } }
