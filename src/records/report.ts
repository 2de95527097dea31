import { type Hex, keccak256Hex } from '#primitives'
import { abiWords } from './abi.ts'
import { type AllocationProposal, allocationProposalCodec } from './allocation.ts'
import {
  byteList,
  type Codec,
  encode,
  fixedHex,
  hash32,
  list,
  record,
  tagged,
  text,
  uint8,
  uint16,
  uint32,
  uint64,
  uint256,
} from './codec.ts'
import { type Declaration, declarationCodec } from './declaration.ts'
import { type L1View, l1ViewCodec, type OperatorId } from './operator.ts'
import { type NonceCommitment, nonceCommitmentCodec } from './signing.ts'
import { maxResultBytes } from './task.ts'
import { typedDataHash } from './typed-data.ts'

/** One thing that an operator says. The ledger takes each by itself. */
export type Statement =
  /** The blinded digest of a task's result. */
  | { readonly kind: 'commit'; readonly task: Hex; readonly attempt: number; readonly digest: Hex }
  /** The result and the salt behind the digest. */
  | {
      readonly kind: 'reveal'
      readonly task: Hex
      readonly attempt: number
      readonly result: Uint8Array
      readonly salt: Hex
    }
  /** Nonce commitments for sessions to come. */
  | { readonly kind: 'nonces'; readonly commitments: readonly NonceCommitment[] }
  /** A threshold signature share. */
  | {
      readonly kind: 'share'
      readonly checkpoint: number
      readonly attempt: number
      readonly share: Hex
    }
  /** A new L1 view: what it sees now. */
  | { readonly kind: 'view'; readonly view: L1View }
  /** A vote to set a governed parameter. */
  | { readonly kind: 'vote'; readonly parameter: string; readonly value: bigint }
  /** An entry in the epoch's competition for the best allocation. */
  | { readonly kind: 'allocation'; readonly proposal: AllocationProposal }
  /** What it says of itself, in place of what it said before; allocations count with it. */
  | { readonly kind: 'declare'; readonly declaration: Declaration }

/** Most statements in one report, and most commitments in one statement. */
export const maxStatements = 256
export const maxCommitments = 64

export const statementCodec: Codec<Statement> = tagged<Statement>({
  commit: record({ task: hash32, attempt: uint8, digest: hash32 }),
  reveal: record({ task: hash32, attempt: uint8, result: byteList(maxResultBytes), salt: hash32 }),
  nonces: record({ commitments: list(nonceCommitmentCodec, maxCommitments) }),
  share: record({ checkpoint: uint64, attempt: uint32, share: fixedHex(32) }),
  view: record({ view: l1ViewCodec }),
  vote: record({ parameter: text(64), value: uint256() }),
  allocation: record({ proposal: allocationProposalCodec }),
  declare: record({ declaration: declarationCodec }),
})

/**
 * Everything an operator says to the ledger, signed by its ledger key. Same network, operator and
 * sequence with another digest is a provable fault, on L1 too.
 */
export type Report = {
  readonly network: Hex
  readonly operator: OperatorId
  /** Above the last accepted one; never reused for other content. */
  readonly sequence: number
  /** Fresh random identifier of each start of the operator's process. */
  readonly instance: Hex
  readonly statements: readonly Statement[]
}

export const reportCodec: Codec<Report> = record({
  network: hash32,
  operator: uint16,
  sequence: uint64,
  instance: hash32,
  statements: list(statementCodec, maxStatements),
})

/** EIP-712 digest that the ledger key signs; L1 can recompute it from five words. */
export const reportDigest = (report: Report): Hex =>
  typedDataHash(report.network, reportType, [
    report.operator,
    report.sequence,
    keccak256Hex(encode(reportCodec, report)),
  ])

const reportType = 'Report(uint16 operator,uint64 sequence,bytes32 content)'

/**
 * Digest of a blinded result: binds task, attempt, operator, result and salt, so that a copied
 * digest or result earns its copier nothing.
 */
export const resultDigest = (commitment: {
  readonly task: Hex
  readonly attempt: number
  readonly operator: OperatorId
  readonly result: Uint8Array
  readonly salt: Hex
}): Hex =>
  keccak256Hex(
    abiWords(
      commitment.task,
      commitment.attempt,
      commitment.operator,
      keccak256Hex(commitment.result),
      commitment.salt,
    ),
  )
