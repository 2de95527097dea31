import type { Ballot, Offer, Proposal, Vote } from '#consensus'
import type { Hex } from '#primitives'

/** What holds one validator's key. */
export type Signer = { vote(ballot: Ballot): Vote; proposal(offer: Offer): Proposal }

/** Signatures of a run, ideal or real. */
export type Signatures = {
  /** Whoever has the result has the key. */
  signerOf(key: Hex): Signer
  isSignedVote(vote: Vote): boolean
  isSignedProposal(proposal: Proposal): boolean
}

/** Told of everything that is signed. */
export type SignedWatch = (signed: Vote | Proposal) => void
