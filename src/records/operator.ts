import type { Hex } from '#primitives'
import { type Capability, capabilitiesCodec } from './capability.ts'
import {
  address,
  bool,
  type Codec,
  fixedHex,
  hash32,
  oneOf,
  optional,
  record,
  text,
  uint8,
  uint16,
  uint64,
  uint256,
} from './codec.ts'
import { type Declaration, declarationCodec } from './declaration.ts'

/** Assigned by the network, from 1 up, never reused: the FROST identifier too. */
export type OperatorId = number

/** Active operators are drawn, sign and submit; a jailed one has power 0 and may only speak. */
export const operatorStatuses = ['active', 'jailed'] as const
export type OperatorStatus = (typeof operatorStatuses)[number]

/** What the ledger knows of one operator. */
export type Operator = {
  readonly id: OperatorId
  readonly name: string
  readonly status: OperatorStatus
  /** Voting power in consensus and in vouching. */
  readonly power: bigint
  /** Address of the secp256k1 ledger key that signs its reports. */
  readonly ledgerAddress: Hex
  /** ed25519 key of its consensus votes, 32 bytes. */
  readonly consensusKey: Hex
  /** Edwards25519 key of its randomness proofs, 32 bytes. */
  readonly vrfKey: Hex
  /** L1 account that submits and is paid. */
  readonly l1Account: Hex
  /** What its machine has beyond the ordinary. */
  readonly capabilities: readonly Capability[]
  /** What it says of itself; undefined before it has said anything. */
  readonly declared: Declaration | undefined
  /** Its FROST verifying share, a compressed secp256k1 point. */
  readonly verifyingShare: Hex
  /** Sequence of its last accepted report; 0 before the first. */
  readonly sequence: number
  /**
   * Its running instance; another one voids its nonce commitments. Zero before the first report.
   */
  readonly instance: Hex
  /** Its latest L1 view. */
  readonly view: L1View
  /** Submission windows it owned and missed. */
  readonly missedWindows: number
  /** Signing sessions it was in and left unanswered, since its last answer. */
  readonly silentSessions: number
}

/** What an operator says of L1: events seen up to its governed depth. */
export type L1View = {
  /** L1 block number at the governed depth. */
  readonly block: number
  /** Number of relevant events since deployment, and the digest chained over them. */
  readonly events: number
  readonly digest: Hex
  /** Whether its L1 contradicts the agreed digest. */
  readonly fork: boolean
}

export const l1ViewCodec: Codec<L1View> = record({
  block: uint64,
  events: uint64,
  digest: hash32,
  fork: bool,
})

export const operatorCodec: Codec<Operator> = record({
  id: uint16,
  name: text(64),
  status: oneOf(operatorStatuses),
  power: uint256(),
  ledgerAddress: address,
  consensusKey: fixedHex(32),
  vrfKey: fixedHex(32),
  l1Account: address,
  capabilities: capabilitiesCodec,
  declared: optional(declarationCodec),
  verifyingShare: fixedHex(33),
  sequence: uint64,
  instance: hash32,
  view: l1ViewCodec,
  missedWindows: uint64,
  silentSessions: uint8,
})
