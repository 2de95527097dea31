import { type Hex, isMoreThanTwoThirds } from '#primitives'
import type { Conflict, Member, Proposal, ValidatorSet, Vote } from '../core/index.ts'
import type { Commit } from './block.ts'
import { proposalSignBytes, voteSignBytes } from './sign-bytes.ts'
import type { Verifier } from './signer.ts'

/** Whose signatures are checked, and on which network. */
export type Checking = { readonly networkId: Hex; readonly verify: Verifier }

/** Whether a vote is its validator's. */
export const isSignedVote = ({ networkId, verify }: Checking, vote: Vote): boolean =>
  verify(vote.validator, voteSignBytes(networkId, vote), vote.signature)

/** Whether a proposal is its proposer's. */
export const isSignedProposal = ({ networkId, verify }: Checking, proposal: Proposal): boolean =>
  verify(proposal.proposer, proposalSignBytes(networkId, proposal), proposal.signature)

/** Whether validators with more than 2/3 of the power precommitted this value at this height. */
export function isGoodCommit(
  checking: Checking,
  validators: ValidatorSet,
  commit: Commit,
  height: number,
  value: Hex,
): boolean {
  if (commit.height !== height || commit.value !== value) return false
  const counted = new Set<Hex>()
  let power = 0n
  for (const { validator, signature } of commit.signatures) {
    const position = validators.positions.get(validator)
    if (position === undefined || counted.has(validator)) return false
    const { round } = commit
    const vote = { step: 'precommit', height, round, value, validator, signature } as const
    if (!isSignedVote(checking, vote)) return false
    counted.add(validator)
    power += (validators.members[position] as Member).power
  }
  return isMoreThanTwoThirds(power, validators.totalPower)
}

/** Whether two votes prove that their validator voted twice. */
export function isGoodConflict(checking: Checking, { first, second }: Conflict): boolean {
  return (
    first.validator === second.validator &&
    first.height === second.height &&
    first.round === second.round &&
    first.step === second.step &&
    first.value !== second.value &&
    isSignedVote(checking, first) &&
    isSignedVote(checking, second)
  )
}
