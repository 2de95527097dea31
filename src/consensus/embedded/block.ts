import { hash } from 'node:crypto'
import { concatBytes, DomainError, fromHex, type Hex } from '#primitives'
import {
  byteList,
  type Codec,
  decode,
  encode,
  fixedHex,
  hash32,
  list,
  optional,
  type ProposedBlock,
  record,
  uint32,
  uint64,
} from '#records'
import type { Conflict, ValidatorSet } from '../core/index.ts'
import { conflictCodec, maxValidators } from './codecs.ts'
import { bodyHash, partName, partsCodec, pieces } from './parts.ts'

/** Total bytes of one block's transactions. */
export const maxBlockBytes = 1024 * 1024

/** Most transactions in one block. */
export const maxBlockTransactions = 16_384

/** Most double votes in one block: more wait for the next. */
export const maxBlockMisbehaviour = 16

/** Signatures of more than 2/3 of the power under one block. */
export type Commit = {
  readonly height: number
  readonly round: number
  readonly value: Hex
  readonly signatures: readonly { readonly validator: Hex; readonly signature: Hex }[]
}

/** What a block's hash covers; the rest of the block through `bodyHash`. */
export type Header = {
  readonly height: number
  readonly timeMs: number
  /** Consensus key of whoever made it: the proposer of the round it was first proposed in. */
  readonly proposer: Hex
  /** Hash of the block before; the network id at height 1. */
  readonly parent: Hex
  /** App hash that the block before left. */
  readonly appHash: Hex
  readonly validatorsHash: Hex
  /** Over the names of the body's parts: each can be checked by itself. */
  readonly bodyHash: Hex
}

/** What a block holds. */
export type Body = {
  /** Why the block before is final; undefined at height 1. */
  readonly lastCommit: Commit | undefined
  readonly transactions: readonly Uint8Array[]
  readonly misbehaviour: readonly Conflict[]
}

/** A block: its header, and the body that the header covers. */
export type Block = Body & { readonly header: Header }

/** A block with its canonical bytes, its body in parts, their names, and its own. */
export type SealedBlock = {
  readonly block: Block
  readonly bytes: Uint8Array
  /** First all but the transactions, so that their parts are the same whoever proposes them. */
  readonly parts: readonly Uint8Array[]
  readonly names: readonly Hex[]
  readonly hash: Hex
}

export const commitCodec: Codec<Commit> = record({
  height: uint64,
  round: uint32,
  value: hash32,
  signatures: list(
    record<Commit['signatures'][number]>({ validator: hash32, signature: fixedHex(64) }),
    maxValidators,
  ),
})

/** A header as peers send it. */
export const headerCodec: Codec<Header> = record({
  height: uint64,
  timeMs: uint64,
  proposer: hash32,
  parent: hash32,
  appHash: hash32,
  validatorsHash: hash32,
  bodyHash: hash32,
})

const frameCodec: Codec<Omit<Body, 'transactions'>> = record({
  lastCommit: optional(commitCodec),
  misbehaviour: list(conflictCodec, maxBlockMisbehaviour),
})

const transactionsCodec: Codec<readonly Uint8Array[]> = list(
  byteList(maxBlockBytes),
  maxBlockTransactions,
)

const blockCodec: Codec<{ readonly header: Header; readonly parts: readonly Uint8Array[] }> =
  record({ header: headerCodec, parts: partsCodec })

/** Everything in a header that does not follow from the body. */
export type Origin = Omit<Header, 'bodyHash'>

/** Makes a block. */
export function sealBlock(
  { height, timeMs, proposer, parent, appHash, validatorsHash }: Origin,
  { lastCommit, transactions, misbehaviour }: Body,
): SealedBlock {
  const frame = encode(frameCodec, { lastCommit, misbehaviour })
  const parts = [frame, ...pieces(encode(transactionsCodec, transactions))]
  const names = parts.map(partName)
  const origin = { height, timeMs, proposer, parent, appHash, validatorsHash }
  const header = { ...origin, bodyHash: bodyHash(names) }
  return sealed({ header, lastCommit, transactions, misbehaviour }, parts, names)
}

/**
 * A block from its bytes, with its body checked against its header.
 *
 * @throws CodecError when the bytes are no block.
 * @throws BlockMismatchError when header and body do not belong together.
 */
export function openBlock(bytes: Uint8Array): SealedBlock {
  const { header, parts } = decode(blockCodec, bytes)
  return openParts(header, parts)
}

/**
 * A block from a header and the parts of a body.
 *
 * @throws CodecError when they are no body.
 * @throws BlockMismatchError when the header is another body's.
 */
export function openParts(header: Header, parts: readonly Uint8Array[]): SealedBlock {
  const names = parts.map(partName)
  if (header.bodyHash !== bodyHash(names))
    throw new BlockMismatchError('the header is another body’s', { height: header.height })
  const [frame = new Uint8Array(), ...others] = parts
  const transactions = decode(transactionsCodec, concatBytes(...others))
  return sealed({ header, ...decode(frameCodec, frame), transactions }, parts, names)
}

const sealed = (
  block: Block,
  parts: readonly Uint8Array[],
  names: readonly Hex[],
): SealedBlock => ({
  ...{ block, parts, names, hash: blockHash(block.header) },
  bytes: encode(blockCodec, { header: block.header, parts }),
})

/** The name of a block: what is voted for. */
export const blockHash = (header: Header): Hex => sha256Hex(encode(headerCodec, header))

/** SHA-256 over keys and powers in the set's order: what a light client needs to trust a commit. */
export const validatorsHash = (set: ValidatorSet): Hex =>
  sha256Hex(
    ...set.members.flatMap(({ consensusKey, power }) => [
      fromHex(consensusKey),
      fromHex(`0x${power.toString(16).padStart(64, '0')}`),
    ]),
  )

/** The block as the application sees it. */
export const toProposed = ({ header, transactions, misbehaviour }: Block): ProposedBlock => ({
  height: header.height,
  timeMs: header.timeMs,
  proposer: header.proposer,
  transactions,
  misbehaviour: misbehaviour.map(({ first }) => ({
    consensusKey: first.validator,
    height: first.height,
  })),
})

/** Total bytes of transactions. */
export const sizeOf = (transactions: readonly Uint8Array[]): number =>
  transactions.reduce((sum, { length }) => sum + length, 0)

/** The same SHA-256 as `#primitives`', by native code. */
const sha256Hex = (...parts: readonly Uint8Array[]): Hex =>
  `0x${hash('sha256', concatBytes(...parts), 'hex')}`

/** A block whose header does not belong to its body. */
export class BlockMismatchError extends DomainError<'BlockMismatch', { height: number }> {
  override readonly code = 'BlockMismatch'
}
