import {
  concatBytes,
  DomainError,
  fromHex,
  type Hex,
  type Rng,
  sha256Hex,
  toHex,
  uint64Bytes,
  utf8,
} from '#primitives'
import type { GroupSignature, NonceCommitment, OperatorId, Session, Signer } from '#records'
import { orderedSigners } from './binding.ts'
import { aggregate } from './judges.ts'
import { frostSecret, type KeyPackage } from './key.ts'
import { deriveNonces, type NonceSource, nonceCommitment } from './nonces.ts'
import { frost, identifierBytes, identifierOf } from './suite.ts'

/** A signer's own material, and the session that committed state has fixed. */
export type SigningInput = NonceSource & { readonly key: KeyPackage; readonly session: Session }

/**
 * This operator's share of a session's signature (RFC 9591 §5.2). Pure: same input, same share.
 * Call it only after the caller has recomputed the message from its own ledger and the guard has
 * bound the nonce's index to `sessionDigest`, durably.
 *
 * @returns a 32-byte scalar.
 * @throws NotASignerError, ForeignNonceError, UnsignableSessionError.
 */
export function signShare({ key, session, seed, instance }: SigningInput): Hex {
  const own = session.signers.find(({ operator }) => operator === key.operator)
  const details = { operator: key.operator, checkpoint: session.checkpoint }
  if (!own) throw new NotASignerError('not a signer of this session', details)
  const { nonces, commitments } = deriveNonces(key, { seed, instance }, own.nonce.index)
  if (!isPublished(own.nonce, commitments))
    throw new ForeignNonceError('the nonce is of another seed or instance', details)
  try {
    const list = session.signers.map(nobleCommitment)
    const message = fromHex(session.message)
    return toHex(frost.signShare(frostSecret(key), nobleGroup(key), nonces, list, message))
  } catch (cause) {
    throw new UnsignableSessionError('no share can be made in this session', details, cause)
  }
}

/**
 * What a guard binds a nonce index to: everything that a share depends on, checkpoint and attempt,
 * and nothing that changes while shares come in. The order in which signers are listed is no part
 * of it, since RFC 9591 sorts them.
 */
export function sessionDigest(session: Session): Hex {
  const signers = orderedSigners(session).map(({ operator, nonce }) =>
    concatBytes(
      identifierBytes(operator),
      uint64Bytes(nonce.index),
      fromHex(nonce.hiding, 33),
      fromHex(nonce.binding, 33),
    ),
  )
  const message = fromHex(session.message)
  return sha256Hex(
    utf8('NodeOP session v1'),
    uint64Bytes(message.length),
    message,
    uint64Bytes(session.checkpoint),
    uint64Bytes(session.attempt),
    ...signers,
  )
}

/**
 * The group's signature by keys that are all in one process: the proof of possession at setup,
 * tests and benches. Seed and instance are fresh from `rng` and then forgotten, so no guard is
 * needed.
 *
 * @param keys - of one group, as many as its threshold or more.
 * @throws UnsignableSessionError when they make no signature.
 */
export function signTogether(keys: readonly KeyPackage[], message: Hex, rng: Rng): GroupSignature {
  const seed = toHex(rng(32))
  const instance = toHex(rng(32))
  const signers = keys.map((key) => ({
    operator: key.operator,
    nonce: nonceCommitment(key, seed, instance, 0),
    share: undefined,
  }))
  const open: Session = {
    checkpoint: 0,
    attempt: 1,
    message,
    signers,
    openedHeight: 0,
    openedMs: 0,
  }
  const shares = new Map(
    keys.map((key) => [key.operator, signShare({ key, session: open, seed, instance })]),
  )
  const full = signers.map((signer) => ({ ...signer, share: shares.get(signer.operator) }))
  const [first] = keys
  const signature = first && aggregate({ ...open, signers: full }, first.groupKey)
  if (signature) return signature
  throw new UnsignableSessionError('these keys make no signature', { operator: 0, checkpoint: 0 })
}

const isPublished = (
  { hiding, binding }: NonceCommitment,
  own: { readonly hiding: Uint8Array; readonly binding: Uint8Array },
): boolean => toHex(own.hiding) === hiding && toHex(own.binding) === binding

const nobleCommitment = ({ operator, nonce }: Signer) => ({
  identifier: identifierOf(operator),
  hiding: fromHex(nonce.hiding, 33),
  binding: fromHex(nonce.binding, 33),
})

/** Signing reads the group key and the bounds alone. */
const nobleGroup = (key: KeyPackage) => ({
  signers: { min: key.threshold, max: key.verifyingShares.size },
  commitments: [fromHex(key.groupKey, 33)],
  verifyingShares: {},
})

type SessionDetails = { operator: OperatorId; checkpoint: number }

/** The operator was asked to sign in a session that it is not in. */
export class NotASignerError extends DomainError<'NotASigner', SessionDetails> {
  override readonly code = 'NotASigner'
}

/** The session names a nonce that this seed and instance do not give. */
export class ForeignNonceError extends DomainError<'ForeignNonce', SessionDetails> {
  override readonly code = 'ForeignNonce'
}

/** Too few signers, one twice, or commitments that are no points. */
export class UnsignableSessionError extends DomainError<'UnsignableSession', SessionDetails> {
  override readonly code = 'UnsignableSession'
}
