import { type Hex, type Logger, setBounded } from '#primitives'
import type { NonceCommitment, Session } from '#records'
import {
  ForeignNonceError,
  type KeyPackage,
  NotASignerError,
  nonceCommitment,
  sessionDigest,
  signShare,
  UnsignableSessionError,
} from '#threshold'
import type { Guard } from './guard.ts'

/** What a threshold signer needs. */
export type ThresholdSignerOptions = {
  readonly guard: Pick<Guard, 'instance' | 'nonces'>
  readonly key: KeyPackage
  /** 32 bytes, sealed in the keystore. */
  readonly seed: Hex
  /** Told when an answer that was not there before can be asked for. */
  readonly onReady: () => void
  /** Told when the guard's file cannot be written: nothing is signed any more. */
  readonly onFailure: (error: unknown) => void
  readonly logger: Logger
}

/** The threshold part of an operator's answers. Each is asked again until the ledger holds it. */
export type ThresholdSigner = {
  /** Commitments to publish; none until their indices are reserved, durably. */
  nonces(fromIndex: number, count: number): readonly NonceCommitment[]
  /** The share of a session; undefined until the guard holds it, durably, or when there is none. */
  shareOf(session: Session): Hex | undefined
}

/** Indices reserved at a time, so that a pool is refilled without waiting. */
const reserveAhead = 256

/**
 * Commitments remembered: each takes milliseconds, and they are asked for at every turn until the
 * ledger holds them. Twice as many as a ledger may ask for.
 */
const maxCommitments = 128

/** Sessions remembered: one is asked for until the ledger holds its answer. */
const maxSessions = 64

/** A signer whose nonces and shares pass the guard. */
export function createThresholdSigner(options: ThresholdSignerOptions): ThresholdSigner {
  const { guard, key, seed, onReady, onFailure, logger } = options
  const { instance, nonces } = guard
  const shares = new Map<Hex, Hex | undefined>()
  const commitments = new Map<number, NonceCommitment>()
  let reserving = 0
  const reserve = (upTo: number) => {
    if (upTo <= reserving) return
    reserving = upTo + reserveAhead
    nonces.reserve(reserving).then(onReady, onFailure)
  }
  reserve(1)
  const commitmentOf = (index: number): NonceCommitment => {
    const known = commitments.get(index) ?? nonceCommitment(key, seed, instance, index)
    setBounded(commitments, index, known, maxCommitments)
    return known
  }
  const sign = async (session: Session, digest: Hex) => {
    const own = session.signers.find(({ operator }) => operator === key.operator)
    if (!own) return
    const { index } = own.nonce
    const make = () => signShare({ key, session, seed, instance })
    const signed = await nonces.sign({ instance, index }, digest, make)
    if (!signed.ok) return
    shares.set(digest, signed.signature)
    onReady()
  }
  return {
    nonces(fromIndex, count) {
      const upTo = fromIndex + count
      if (upTo + reserveAhead / 2 > nonces.reserved()) reserve(upTo)
      if (upTo > nonces.reserved()) return []
      return Array.from({ length: count }, (_, i) => commitmentOf(fromIndex + i))
    },
    shareOf(session) {
      const digest = sessionDigest(session)
      if (shares.has(digest)) return shares.get(digest)
      setBounded(shares, digest, undefined, maxSessions)
      sign(session, digest).catch((error) => {
        if (isUnsignable(error))
          logger.info('session not signed', { checkpoint: session.checkpoint, error })
        else onFailure(error)
      })
      return undefined
    },
  }
}

/** The session is not for these nonces or this operator: a later one will be. */
const isUnsignable = (error: unknown): boolean =>
  error instanceof ForeignNonceError ||
  error instanceof NotASignerError ||
  error instanceof UnsignableSessionError
