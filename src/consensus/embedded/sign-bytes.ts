import type { Hex } from '#primitives'
import { type Codec, encode, hash32, optional, record, text, uint32, uint64 } from '#records'
import type { Ballot, Offer } from '../core/index.ts'
import { roundOrNone, voteStep } from './codecs.ts'

/**
 * What a vote's signature covers. Domain and network come first, so that a vote is no proposal and
 * nothing of one network holds in another; no clock is in it, so that signing twice gives the same.
 */
export const voteSignBytes = (network: Hex, { step, height, round, value }: Ballot): Uint8Array =>
  encode(voteForm, { domain: 'NodeOP vote', network, step, height, round, value })

/** What a proposal's signature covers. */
export const proposalSignBytes = (
  network: Hex,
  { height, round, value, validRound }: Offer,
): Uint8Array =>
  encode(proposalForm, { domain: 'NodeOP proposal', network, height, round, value, validRound })

const voteForm: Codec<Omit<Ballot, 'validator'> & Domain> = record({
  domain: text(32),
  network: hash32,
  step: voteStep,
  height: uint64,
  round: uint32,
  value: optional(hash32),
})

const proposalForm: Codec<Omit<Offer, 'proposer'> & Domain> = record({
  domain: text(32),
  network: hash32,
  height: uint64,
  round: uint32,
  value: hash32,
  validRound: roundOrNone,
})

type Domain = { readonly domain: string; readonly network: Hex }
