import { type Hex, keccak256Hex, toHex, utf8 } from '#primitives'
import { abiStruct, abiWords } from './abi.ts'
import {
  byteList,
  type Codec,
  hash32,
  list,
  oneOf,
  record,
  text,
  uint16,
  uint32,
  uint64,
  uint256,
} from './codec.ts'
import type { OperatorId } from './operator.ts'
import { type AgreementRule, agreementRules, type ServiceName } from './service.ts'

/** What L1 does with a leaf: hand a result to its consumer, or only keep that it was certified. */
export const leafKinds = ['result', 'block'] as const
export type LeafKind = (typeof leafKinds)[number]

/** One decision of the network, provable on L1 under a certified root. */
export type Leaf = {
  /** Position in the outbox, from 0. */
  readonly index: number
  readonly service: ServiceName
  readonly kind: LeafKind
  /** Task id, or hash of the L2 block. */
  readonly subject: Hex
  readonly rule: AgreementRule
  /** Weight that agreed, and of the whole committee. */
  readonly agreeingWeight: number
  readonly committeeWeight: number
  /** Slashable stake of those who agreed, in wei. */
  readonly stakeWei: bigint
  /** ABI encoding of the service's own content. */
  readonly body: Uint8Array
}

/** Bytes of one leaf's body. */
export const maxLeafBodyBytes = 8192

export const leafCodec: Codec<Leaf> = record({
  index: uint64,
  service: text(31),
  kind: oneOf(leafKinds),
  subject: hash32,
  rule: oneOf(agreementRules),
  agreeingWeight: uint32,
  committeeWeight: uint32,
  stakeWei: uint256(),
  body: byteList(maxLeafBodyBytes),
})

/** A service's name as L1 writes it: ASCII, left-aligned in 32 bytes. */
export function serviceBytes32(name: ServiceName): Hex {
  const bytes = new Uint8Array(32)
  bytes.set(utf8(name))
  return toHex(bytes)
}

/** The leaf as the tuple of the contract's `Leaf` struct. */
export const leafTuple = (leaf: Leaf) => ({ ...leafWords(leaf), body: toHex(leaf.body) })

/** The members of the struct that are one word each. */
const leafWords = (leaf: Leaf) => ({
  index: BigInt(leaf.index),
  service: serviceBytes32(leaf.service),
  kind: leafKinds.indexOf(leaf.kind),
  subject: leaf.subject,
  rule: agreementRules.indexOf(leaf.rule),
  agreeingWeight: leaf.agreeingWeight,
  committeeWeight: leaf.committeeWeight,
  stakeWei: leaf.stakeWei,
})

/** `keccak256(abi.encode(leaf))`: longer than 64 bytes, so never mistaken for an inner node. */
export function leafHash(leaf: Leaf): Hex {
  const { index, service, kind, subject, rule, agreeingWeight, committeeWeight, stakeWei } =
    leafWords(leaf)
  const values = [index, service, kind, subject, rule, agreeingWeight, committeeWeight, stakeWei]
  return keccak256Hex(abiStruct(values, leaf.body))
}

/** Submitters that a checkpoint can name; unused places are 0. */
export const submittersPerCheckpoint = 4

/** What the group signs: the outbox at one size, and who may bring it to L1 when. */
export type Checkpoint = {
  /** From 1 up, without gaps. */
  readonly index: number
  /** Number of leaves, and the root over them. */
  readonly size: number
  readonly root: Hex
  /** L1 time in seconds at which the first window opens, and the length of each. */
  readonly startS: number
  readonly windowS: number
  /** Operators allowed from window 0, 1, 2, 3 on. */
  readonly submitters: readonly OperatorId[]
}

export const checkpointCodec: Codec<Checkpoint> = record({
  index: uint64,
  size: uint64,
  root: hash32,
  startS: uint64,
  windowS: uint32,
  submitters: list(uint16, submittersPerCheckpoint),
})

/** Where checkpoints are valid: a certificate for one Outbox means nothing to another. */
export type OutboxDomain = { readonly l1ChainId: number; readonly outbox: Hex }

/** Submitters as the contract's `uint64`: four big-endian `uint16`, the first owner highest. */
export const packSubmitters = (submitters: readonly OperatorId[]): bigint =>
  Array.from({ length: submittersPerCheckpoint }, (_, place) => submitters[place] ?? 0).reduce(
    (packed, id) => (packed << 16n) | BigInt(id),
    0n,
  )

/** The 32 bytes that the group signs, as `Outbox.checkpointMessage` computes them. */
export const checkpointMessage = (domain: OutboxDomain, checkpoint: Checkpoint): Hex =>
  keccak256Hex(
    abiWords(
      checkpointTag,
      domain.l1ChainId,
      domain.outbox,
      checkpoint.index,
      checkpoint.size,
      checkpoint.root,
      checkpoint.startS,
      checkpoint.windowS,
      packSubmitters(checkpoint.submitters),
    ),
  )

const checkpointTag = keccak256Hex(utf8('NodeOP checkpoint v1'))

/**
 * What the group signs once, when its key is registered at this Outbox: without it, a key made of
 * other people's keys could be registered. The Outbox's constructor computes the same.
 */
export const possessionMessage = (domain: OutboxDomain): Hex =>
  keccak256Hex(abiWords(possessionTag, domain.l1ChainId, domain.outbox))

const possessionTag = keccak256Hex(utf8('NodeOP proof of possession v1'))
