import type { Hex } from '#primitives'
import {
  bool,
  byteList,
  type Codec,
  decode,
  encode,
  hash32,
  list,
  optional,
  record,
  tagged,
  uint32,
  uint64,
} from '#records'
import type { Proposal, Vote } from '../core/index.ts'
import { type Commit, commitCodec, type Header, headerCodec, maxBlockBytes } from './block.ts'
import { proposalCodec, voteCodec } from './codecs.ts'
import { maxParts, partBytes, partsCodec } from './parts.ts'

/** What validators say to each other. */
export type Message =
  /**
   * A proposal that the sender holds the block of: with the parts of its body where that is small,
   * else with their names alone, since they can be had for the asking.
   */
  | {
      readonly kind: 'proposal'
      readonly proposal: Proposal
      readonly header: Header
      readonly names: readonly Hex[]
      readonly parts: readonly Uint8Array[] | undefined
    }
  /** Asks for parts of a block that was announced. */
  | { readonly kind: 'want'; readonly value: Hex; readonly indices: readonly number[] }
  | {
      readonly kind: 'part'
      readonly value: Hex
      readonly index: number
      readonly bytes: Uint8Array
    }
  /** One vote of the sender's, or many that it relays. */
  | { readonly kind: 'votes'; readonly votes: readonly Vote[] }
  | { readonly kind: 'transaction'; readonly bytes: Uint8Array }
  /** There is work for a block of this height: to its proposer. */
  | { readonly kind: 'wake'; readonly height: number }
  /**
   * Where the sender is, without progress, and which blocks of this height it holds; whether it
   * asks where its peers are, and whether it is held back itself, so that it may have been further.
   */
  | {
      readonly kind: 'status'
      readonly height: number
      readonly round: number
      readonly values: readonly Hex[]
      readonly asks: boolean
      readonly isHeld: boolean
    }
  /** Asks for decided blocks from this height on, but not for the bodies that the sender holds. */
  | { readonly kind: 'fetch'; readonly height: number; readonly held: readonly Hex[] }
  | { readonly kind: 'blocks'; readonly blocks: readonly FetchedBlock[] }
  /** Answers a fetch of blocks that the sender keeps no more: its first one. */
  | { readonly kind: 'pruned'; readonly first: number }

/** A decided block and the signatures that decided it; without a body that is held already. */
export type FetchedBlock = {
  readonly header: Header
  readonly parts: readonly Uint8Array[] | undefined
  readonly commit: Commit
}

/** Most votes in one message: all of a large set's, for a few rounds. */
export const maxVotes = 8192

/** Most blocks in one answer, and the bytes after which no further block is added. */
export const maxFetchedBlocks = 32
export const fetchedBytes = 512 * 1024

/** Most blocks that a status names. */
export const maxValues = 256

/** Most bytes of a body that goes with its proposal: asking for it would take a way more. */
export const maxInlineBytes = 16 * 1024

const maybeParts = optional(partsCodec)

const messageCodec: Codec<Message> = tagged<Message>({
  proposal: record({
    proposal: proposalCodec,
    header: headerCodec,
    names: list(hash32, maxParts),
    parts: maybeParts,
  }),
  want: record({ value: hash32, indices: list(uint32, maxParts) }),
  part: record({ value: hash32, index: uint32, bytes: byteList(partBytes) }),
  votes: record({ votes: list(voteCodec, maxVotes) }),
  transaction: record({ bytes: byteList(maxBlockBytes) }),
  wake: record({ height: uint64 }),
  status: record({
    ...{ height: uint64, round: uint32, values: list(hash32, maxValues) },
    ...{ asks: bool, isHeld: bool },
  }),
  fetch: record({ height: uint64, held: list(hash32, maxValues) }),
  pruned: record({ first: uint64 }),
  blocks: record({
    blocks: list(
      record<FetchedBlock>({ header: headerCodec, parts: maybeParts, commit: commitCodec }),
      maxFetchedBlocks,
    ),
  }),
})

/** The bytes of a message. */
export const encodeMessage = (message: Message): Uint8Array => encode(messageCodec, message)

/** @throws CodecError when the bytes are no message. */
export const decodeMessage = (bytes: Uint8Array): Message => decode(messageCodec, bytes)
