import { compareSlots, type SignSlot } from '#consensus'
import type { Hex } from '#primitives'
import type { GuardRecord } from './records.ts'
import type { GuardState, Signed } from './state.ts'

/** Why nothing is signed. */
export type GuardRefusal =
  /** Something else was signed at this position. */
  | 'SignedOtherwise'
  /** The position lies before what was signed, and nobody knows what was signed there. */
  | 'PositionPassed'
  /** The threshold nonce is of another process, so its secret is void. */
  | 'ForeignInstance'
  /** The threshold nonce was never reserved, so its commitment cannot have been published. */
  | 'NotReserved'
  /** The folder is from a backup: what was signed since is not known yet. */
  | 'Restored'

/** What may be signed. */
export type Judgement =
  | { readonly ok: false; readonly reason: GuardRefusal }
  /** New: this must be recorded first. */
  | { readonly ok: true; readonly kind: 'new' }
  /** Recorded before, with what was signed where that is kept. */
  | { readonly ok: true; readonly kind: 'known'; readonly signature: Hex | undefined }

/** A slot takes one digest, and slots only move forward. */
export function judgeVote({ vote }: GuardState, slot: SignSlot, digest: Hex): Judgement {
  const order = vote ? compareSlots(slot, vote.slot) : 1
  if (order > 0) return isNew
  if (order < 0) return refused('PositionPassed')
  if (vote?.digest === undefined) return refused('PositionPassed')
  return vote.digest === digest ? known(undefined) : refused('SignedOtherwise')
}

/** A sequence takes one digest, and sequences only rise. */
export function judgeReport({ report }: GuardState, sequence: number, digest: Hex): Judgement {
  if (!report || sequence > report.sequence) return isNew
  if (sequence < report.sequence) return refused('PositionPassed')
  return judgeSigned(report.signed, digest)
}

/** A nonce belongs to one call until that call is given up. */
export function judgeTransaction(state: GuardState, nonce: number, digest: Hex): Judgement {
  const call = state.calls.get(nonce)
  if (!call) return nonce < state.callFloor ? refused('PositionPassed') : isNew
  if (call.digest === undefined) return isNew
  if (call.digest !== digest) return refused('SignedOtherwise')
  // Signed again by this process, the call is this one's to watch.
  return call.isEarlier ? isNew : known(undefined)
}

/** A threshold nonce of this very process, once reserved, is for one session. */
export function judgeNonce(
  state: GuardState,
  { instance, index }: NoncePosition,
  digest: Hex,
): Judgement {
  if (instance !== state.instance) return refused('ForeignInstance')
  if (index >= state.reserved) return refused('NotReserved')
  const share = state.shares.get(index)
  if (share) return judgeSigned(share, digest)
  return index < state.indexFloor ? refused('PositionPassed') : isNew
}

/** One threshold nonce. */
export type NoncePosition = { readonly instance: Hex; readonly index: number }

/** The record of a vote that a log holds and the guard does not. */
export function missingVote(
  { vote }: GuardState,
  slot: SignSlot,
  digest: Hex,
): GuardRecord | undefined {
  if (vote && compareSlots(slot, vote.slot) <= 0) return undefined
  return { kind: 'vote', slot, digest }
}

/** Whether an earlier process, or another machine, used this nonce for another call. */
export function isLeftOver(state: GuardState, nonce: number, digest: Hex): boolean {
  const call = state.calls.get(nonce)
  if (!call) return nonce < state.callFloor
  return call.isEarlier && call.digest !== undefined && call.digest !== digest
}

/** Whether an L1 nonce is known to have been used. */
export const isTaken = ({ calls, callFloor }: GuardState, nonce: number): boolean =>
  calls.has(nonce) ? calls.get(nonce)?.digest !== undefined : nonce < callFloor

const judgeSigned = (signed: Signed | undefined, digest: Hex): Judgement => {
  if (!signed) return refused('PositionPassed')
  return signed.digest === digest ? known(signed.signature) : refused('SignedOtherwise')
}

const isNew: Judgement = { ok: true, kind: 'new' }
const known = (signature: Hex | undefined): Judgement => ({ ok: true, kind: 'known', signature })
const refused = (reason: GuardRefusal): Judgement => ({ ok: false, reason })
