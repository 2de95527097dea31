import type { Hex } from '#primitives'
import {
  bool,
  byteList,
  type Codec,
  decode,
  encode,
  hash32,
  list,
  record,
  tagged,
  uint32,
  uint64,
} from '#records'
import type { Proposal, Vote } from '../core/index.ts'
import { type Commit, commitCodec, maxBlockBytes } from './block.ts'
import { blockBytes, maxEncodedBlockBytes, proposalCodec, voteCodec } from './codecs.ts'

/** What validators say to each other. */
export type Message =
  | { readonly kind: 'proposal'; readonly proposal: Proposal; readonly block: Uint8Array }
  /** One vote of the sender's, or many that it relays. */
  | { readonly kind: 'votes'; readonly votes: readonly Vote[] }
  | { readonly kind: 'transaction'; readonly bytes: Uint8Array }
  /** There is work for a block of this height: to its proposer. */
  | { readonly kind: 'wake'; readonly height: number }
  /**
   * Where the sender is, without progress, and which blocks of this height it holds; whether it
   * asks where its peers are.
   */
  | {
      readonly kind: 'status'
      readonly height: number
      readonly round: number
      readonly values: readonly Hex[]
      readonly asks: boolean
    }
  /** Asks for decided blocks from this height on. */
  | { readonly kind: 'fetch'; readonly height: number }
  | { readonly kind: 'blocks'; readonly blocks: readonly FetchedBlock[] }

/** A decided block and the signatures that decided it. */
export type FetchedBlock = { readonly block: Uint8Array; readonly commit: Commit }

/** Most votes in one message: all of a large set's, for a few rounds. */
export const maxVotes = 8192

/** Most blocks in one answer, and the bytes after which no further block is added. */
export const maxFetchedBlocks = 32
export const fetchedBytes = 512 * 1024

/** Most blocks that a status names. */
export const maxValues = 256

const messageCodec: Codec<Message> = tagged<Message>({
  proposal: record({ proposal: proposalCodec, block: blockBytes }),
  votes: record({ votes: list(voteCodec, maxVotes) }),
  transaction: record({ bytes: byteList(maxBlockBytes) }),
  wake: record({ height: uint64 }),
  status: record({ height: uint64, round: uint32, values: list(hash32, maxValues), asks: bool }),
  fetch: record({ height: uint64 }),
  blocks: record({
    blocks: list(
      record<FetchedBlock>({ block: byteList(maxEncodedBlockBytes), commit: commitCodec }),
      maxFetchedBlocks,
    ),
  }),
})

/** The bytes of a message. */
export const encodeMessage = (message: Message): Uint8Array => encode(messageCodec, message)

/** @throws CodecError when the bytes are no message. */
export const decodeMessage = (bytes: Uint8Array): Message => decode(messageCodec, bytes)
