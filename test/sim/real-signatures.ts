import { sign, verify } from 'node:crypto'
import { type Ballot, ed25519Pair, ed25519PublicKey, type Offer } from '#consensus'
import { fromHex, type Hex, toHex, utf8 } from '#primitives'
import type { Signatures, SignedWatch } from './signatures.ts'

/** Ed25519 behind the same interface: what a run is worth where keys and bytes are real. */
export function createRealSignatures(watch: SignedWatch): Signatures {
  const pairs = new Map<Hex, ReturnType<typeof pairOf>>()
  const known = (key: Hex) => {
    const pair = pairs.get(key) ?? pairOf(key)
    pairs.set(key, pair)
    return pair
  }
  const signed = (key: Hex, bytes: Uint8Array): Hex => toHex(sign(null, bytes, known(key).secret))
  const isSigned = (key: Hex, bytes: Uint8Array, signature: Hex): boolean =>
    signature.length === 130 && verify(null, bytes, known(key).open, fromHex(signature, 64))
  return {
    signerOf: (key) => ({
      vote(ballot) {
        const mine = { ...ballot, validator: key }
        const vote = { ...mine, signature: signed(key, voteBytes(mine)) }
        watch(vote)
        return vote
      },
      proposal(offer) {
        const mine = { ...offer, proposer: key }
        const proposal = { ...mine, signature: signed(key, offerBytes(mine)) }
        watch(proposal)
        return proposal
      },
    }),
    isSignedVote: (vote) => isSigned(vote.validator, voteBytes(vote), vote.signature),
    isSignedProposal: (offer) => isSigned(offer.proposer, offerBytes(offer), offer.signature),
  }
}

/** Keys that follow from a name, so that a seed makes the same ones again. */
function pairOf(key: Hex) {
  const { publicKey, privateKey } = ed25519Pair(fromHex(`0x${key.slice(2).padStart(64, '5')}`))
  return { secret: privateKey, open: ed25519PublicKey(publicKey) }
}

const voteBytes = ({ step, height, round, value, validator }: Ballot): Uint8Array =>
  utf8(`${step} ${height} ${round} ${value} ${validator}`)

const offerBytes = ({ height, round, value, validRound, proposer }: Offer): Uint8Array =>
  utf8(`proposal ${height} ${round} ${value} ${validRound} ${proposer}`)
