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

/** What a block's hash covers; the rest of the block through the hashes in here. */
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
  readonly lastCommitHash: Hex
  readonly transactionsHash: Hex
  readonly misbehaviourHash: Hex
}

/** A block: its header, and the body that the header's hashes cover. */
export type Block = {
  readonly header: Header
  /** Why the block before is final; undefined at height 1. */
  readonly lastCommit: Commit | undefined
  readonly transactions: readonly Uint8Array[]
  readonly misbehaviour: readonly Conflict[]
}

/** A block with its canonical bytes and its name. */
export type SealedBlock = { readonly block: Block; readonly bytes: Uint8Array; readonly hash: Hex }

export const commitCodec: Codec<Commit> = record({
  height: uint64,
  round: uint32,
  value: hash32,
  signatures: list(
    record<Commit['signatures'][number]>({ validator: hash32, signature: fixedHex(64) }),
    maxValidators,
  ),
})

const headerCodec: Codec<Header> = record({
  height: uint64,
  timeMs: uint64,
  proposer: hash32,
  parent: hash32,
  appHash: hash32,
  validatorsHash: hash32,
  lastCommitHash: hash32,
  transactionsHash: hash32,
  misbehaviourHash: hash32,
})

const maybeCommit = optional(commitCodec)
const conflicts = list(conflictCodec, maxBlockMisbehaviour)

const blockCodec: Codec<Block> = record({
  header: headerCodec,
  lastCommit: maybeCommit,
  transactions: list(byteList(maxBlockBytes), maxBlockTransactions),
  misbehaviour: conflicts,
})

/** Everything in a header that does not follow from the body. */
export type Origin = Omit<Header, 'lastCommitHash' | 'transactionsHash' | 'misbehaviourHash'>

/** Makes a block of its parts. */
export function sealBlock(origin: Origin, body: Omit<Block, 'header'>): SealedBlock {
  const block = { header: { ...origin, ...bodyHashes(body) }, ...body }
  return { block, bytes: encode(blockCodec, block), hash: hashOf(block.header) }
}

/**
 * A block from its bytes, with its body checked against its header.
 *
 * @throws CodecError when the bytes are no block.
 * @throws BlockMismatchError when header and body do not belong together.
 */
export function openBlock(bytes: Uint8Array): SealedBlock {
  const block = decode(blockCodec, bytes)
  const { header } = block
  const hashes = bodyHashes(block)
  const names = Object.keys(hashes) as (keyof typeof hashes)[]
  for (const name of names)
    if (header[name] !== hashes[name])
      throw new BlockMismatchError(`${name} differs`, { height: header.height, field: name })
  return { block, bytes, hash: hashOf(header) }
}

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

const hashOf = (header: Header): Hex => sha256Hex(encode(headerCodec, header))

const bodyHashes = ({ lastCommit, transactions, misbehaviour }: Omit<Block, 'header'>) => ({
  lastCommitHash: sha256Hex(encode(maybeCommit, lastCommit)),
  transactionsHash: sha256Hex(...transactions.map((bytes) => hash('sha256', bytes, 'buffer'))),
  misbehaviourHash: sha256Hex(encode(conflicts, misbehaviour)),
})

/** The same SHA-256 as `#primitives`', by native code. */
const sha256Hex = (...parts: readonly Uint8Array[]): Hex =>
  `0x${hash('sha256', concatBytes(...parts), 'hex')}`

/** A block whose header does not belong to its body. */
export class BlockMismatchError extends DomainError<
  'BlockMismatch',
  { height: number; field: string }
> {
  override readonly code = 'BlockMismatch'
}
