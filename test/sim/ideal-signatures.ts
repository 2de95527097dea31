import type { Proposal, Vote } from '#consensus'
import type { Hex } from '#primitives'
import type { Signatures, SignedWatch } from './signatures.ts'

/**
 * Signatures as the proofs assume them: nobody makes one without the key, and none fits anything
 * but what was signed. A signature is a number under which the content is remembered; a run is
 * thousands of times faster than with ed25519, and an adversary can do neither more nor less.
 */
export function createIdealSignatures(watch: SignedWatch): Signatures {
  const votes = new Map<Hex, Vote>()
  const proposals = new Map<Hex, Proposal>()
  return {
    signerOf: (key) => ({
      vote(ballot) {
        const signed = { ...ballot, validator: key, signature: `0x${votes.size}` as Hex }
        votes.set(signed.signature, signed)
        watch(signed)
        return signed
      },
      proposal(offer) {
        const signed = { ...offer, proposer: key, signature: `0x${proposals.size}` as Hex }
        proposals.set(signed.signature, signed)
        watch(signed)
        return signed
      },
    }),
    isSignedVote(vote) {
      const signed = votes.get(vote.signature)
      if (signed === vote) return true
      return (
        signed !== undefined &&
        signed.validator === vote.validator &&
        signed.height === vote.height &&
        signed.round === vote.round &&
        signed.step === vote.step &&
        signed.value === vote.value
      )
    },
    isSignedProposal(proposal) {
      const signed = proposals.get(proposal.signature)
      if (signed === proposal) return true
      return (
        signed !== undefined &&
        signed.proposer === proposal.proposer &&
        signed.height === proposal.height &&
        signed.round === proposal.round &&
        signed.value === proposal.value &&
        signed.validRound === proposal.validRound
      )
    },
  }
}
