import { type Hex, utf8 } from '#primitives'
import type { Validator } from '#records'
import { type BlockReference, referenceBytes } from './header.ts'
import {
  bytesField,
  delimited,
  fixedField,
  messageField,
  timestamp,
  varintField,
} from './protobuf.ts'
import { validatorAddress } from './validator-set.ts'

/** One validator's precommit in a commit. Those for nil, and of the absent, carry no weight. */
export type CommitSignature = {
  readonly votedFor: 'block' | 'nil'
  readonly address: Hex
  /** The validator's own clock when it signed, nanoseconds since 1970. */
  readonly timeNs: bigint
  /** ed25519, 64 bytes. */
  readonly signature: Hex
}

/** The precommits that made a block final. */
export type LightCommit = {
  readonly height: number
  readonly round: number
  readonly block: BlockReference
  readonly signatures: readonly CommitSignature[]
}

/** What a CometBFT validator signs when it votes; `block` undefined is nil. */
export type CanonicalVote = {
  readonly step: 'prevote' | 'precommit'
  readonly height: number
  readonly round: number
  readonly block: BlockReference | undefined
  readonly timeNs: bigint
}

/**
 * The bytes under a vote's signature: the chain is in them, the voter is not.
 *
 * @see CometBFT specification, core/data_structures, CanonicalVote
 */
export const canonicalVoteBytes = (chainId: string, vote: CanonicalVote): Uint8Array =>
  delimited(
    varintField(1, vote.step === 'prevote' ? 1 : 2),
    fixedField(2, vote.height),
    fixedField(3, vote.round),
    vote.block ? messageField(4, referenceBytes(vote.block)) : new Uint8Array(),
    messageField(5, timestamp(vote.timeNs)),
    bytesField(6, utf8(chainId)),
  )

/**
 * Checks an ed25519 signature. CometBFT goes by ZIP 215; a checker that follows RFC 8032 to the
 * letter (as Node's does) refuses some signatures that no honest validator makes.
 */
export type CheckSignature = (publicKey: Hex, bytes: Uint8Array, signature: Hex) => boolean

/** Whether every signature names one of these validators, and none is named twice. */
export function hasOnlySigners(commit: LightCommit, validators: readonly Validator[]): boolean {
  const open = new Set(validators.map(({ consensusKey }) => validatorAddress(consensusKey)))
  return commit.signatures.every(({ address }) => open.delete(address))
}

/** The power behind a commit, or that a signature in it is not what it claims to be. */
export type Backing =
  | { readonly ok: true; readonly power: bigint }
  | { readonly ok: false; readonly reason: 'BadCommitSignature' }

/**
 * How much power of these validators signed the committed block. Signatures of others are passed
 * over: the set need not be the block's own. Each validator counts once.
 */
export function powerBehind(
  chainId: string,
  commit: LightCommit,
  validators: readonly Validator[],
  check: CheckSignature,
): Backing {
  const { height, round, block } = commit
  const byAddress = new Map(validators.map((one) => [validatorAddress(one.consensusKey), one]))
  let power = 0n
  for (const { votedFor, address, timeNs, signature } of commit.signatures) {
    const signer = byAddress.get(address)
    if (votedFor === 'nil' || !signer) continue
    const bytes = canonicalVoteBytes(chainId, { step: 'precommit', height, round, block, timeNs })
    if (!check(signer.consensusKey, bytes, signature))
      return { ok: false, reason: 'BadCommitSignature' }
    byAddress.delete(address)
    power += signer.power
  }
  return { ok: true, power }
}
