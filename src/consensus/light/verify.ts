import { assert, isMoreThanTwoThirds } from '#primitives'
import type { Validator } from '#records'
import { type CheckSignature, hasOnlySigners, type LightCommit, powerBehind } from './commit.ts'
import { headerHash, type LightHeader } from './header.ts'
import { validatorSetHash } from './validator-set.ts'

/** A header with what made it final, and the sets that it names by hash. */
export type LightBlock = {
  readonly header: LightHeader
  readonly commit: LightCommit
  readonly validators: readonly Validator[]
  readonly nextValidators: readonly Validator[]
}

/**
 * What of an earlier block is believed: its header, and the set that it gives the next height to.
 */
export type TrustedBlock = Pick<LightBlock, 'header' | 'nextValidators'>

/** How far belief goes. */
export type TrustOptions = {
  /** How long a header is believed after its own time; below the time that stake stays locked. */
  readonly trustingPeriodNs: bigint
  /** How far other clocks may run ahead of ours. */
  readonly clockDriftNs: bigint
  /**
   * Fraction of a trusted set that must stand behind a later block, at least 1/3: then one honest
   * validator does. Signed by more than it, not by exactly it.
   */
  readonly trustLevel: { readonly numerator: bigint; readonly denominator: bigint }
  readonly check: CheckSignature
}

/**
 * A verdict on a block. `NotEnoughTrust` says nothing against it: a block between the two may lead
 * there. Every other refusal is final.
 */
export type LightVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: LightFault }

/** Why a block is not believed. */
export type LightFault =
  | 'TrustExpired'
  | 'ForeignChain'
  | 'HeightNotAbove'
  | 'TimeNotAbove'
  | 'HeaderFromFuture'
  | 'ForeignCommit'
  | 'ForeignValidatorSet'
  | 'ForeignSigner'
  | 'UnexpectedValidators'
  | 'BadCommitSignature'
  | 'CommitTooWeak'
  | 'NotEnoughTrust'

/**
 * Whether a later block follows from a trusted one, in a single step: directly, when it is the
 * next, else because more than `trustLevel` of the power that was trusted signed it.
 *
 * @param nowNs - our clock, nanoseconds since 1970.
 * @see CometBFT specification, light-client/verification
 */
export function verifyLightBlock(
  trusted: TrustedBlock,
  block: LightBlock,
  options: TrustOptions,
  nowNs: bigint,
): LightVerdict {
  const fault =
    faultOfTime(trusted.header, block.header, options, nowNs) ??
    faultOfContents(block) ??
    faultOfTrust(trusted, block, options) ??
    // Last, since a made-up set may be as large as its maker likes.
    faultOfCommit(block, options.check)
  return fault === undefined ? { ok: true } : { ok: false, reason: fault }
}

function faultOfTime(
  trusted: LightHeader,
  header: LightHeader,
  { trustingPeriodNs, clockDriftNs }: TrustOptions,
  nowNs: bigint,
): LightFault | undefined {
  if (trusted.timeNs + trustingPeriodNs <= nowNs) return 'TrustExpired'
  if (header.chainId !== trusted.chainId) return 'ForeignChain'
  if (header.height <= trusted.height) return 'HeightNotAbove'
  if (header.timeNs <= trusted.timeNs) return 'TimeNotAbove'
  return header.timeNs >= nowNs + clockDriftNs ? 'HeaderFromFuture' : undefined
}

function faultOfContents(block: LightBlock): LightFault | undefined {
  const { header, commit, validators, nextValidators } = block
  if (commit.height !== header.height || commit.block.hash !== headerHash(header))
    return 'ForeignCommit'
  if (header.validatorsHash !== validatorSetHash(validators)) return 'ForeignValidatorSet'
  if (header.nextValidatorsHash !== validatorSetHash(nextValidators)) return 'ForeignValidatorSet'
  return hasOnlySigners(commit, validators) ? undefined : 'ForeignSigner'
}

function faultOfTrust(
  { header, nextValidators }: TrustedBlock,
  block: LightBlock,
  { trustLevel, check }: TrustOptions,
): LightFault | undefined {
  if (block.header.height === header.height + 1)
    return block.header.validatorsHash === header.nextValidatorsHash
      ? undefined
      : 'UnexpectedValidators'
  const { numerator, denominator } = trustLevel
  assert(numerator * 3n >= denominator && numerator <= denominator, 'a trust level is 1/3 to 1')
  const backing = powerBehind(header.chainId, block.commit, nextValidators, check)
  if (!backing.ok) return backing.reason
  const isEnough = backing.power * denominator > totalPower(nextValidators) * numerator
  return isEnough ? undefined : 'NotEnoughTrust'
}

function faultOfCommit(block: LightBlock, check: CheckSignature): LightFault | undefined {
  const { header, commit, validators } = block
  const backing = powerBehind(header.chainId, commit, validators, check)
  if (!backing.ok) return backing.reason
  return isMoreThanTwoThirds(backing.power, totalPower(validators)) ? undefined : 'CommitTooWeak'
}

const totalPower = (validators: readonly Validator[]): bigint =>
  validators.reduce((sum, { power }) => sum + power, 0n)
