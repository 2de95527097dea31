import type { Hex, Logger } from '#primitives'
import { type L1View, maxL1Events, type NonceCommitment, type Session, type Task } from '#records'
import { type KeyPackage, nonceCommitment, sessionDigest, signShare } from '#threshold'
import { setBounded } from './bounded.ts'
import type { NonceGuard } from './nonce-guard.ts'
import type { Answers } from './reporter.ts'
import type { TaskRunner } from './task-runner.ts'

/** What an operator has seen of L1, as the listener keeps it. */
export type L1History = {
  readonly view: () => L1View
  /** Digest after so many events; undefined when it has not seen that many. */
  readonly digestAt: (events: number) => Hex | undefined
}

/** Told of every use of the threshold key, for metrics. */
export type SigningObserver = {
  readonly permitted: () => void
  readonly prevented: () => void
}

/** How an honest operator answers its duties. */
export function honestAnswers(options: {
  readonly runner: TaskRunner
  readonly key: KeyPackage
  /** 32 bytes, sealed in the keystore. */
  readonly seed: Hex
  readonly instance: Hex
  readonly guard: NonceGuard
  readonly observer: SigningObserver
  readonly history: L1History
  readonly logger: Logger
}): Answers {
  const { runner, key, seed, instance, history } = options
  const nonces = new Map<number, NonceCommitment>()
  const shares = new Map<Hex, Hex | undefined>()
  const nonceOf = (index: number): NonceCommitment => {
    const known = nonces.get(index) ?? nonceCommitment(key, seed, instance, index)
    setBounded(nonces, index, known, keptNonces)
    return known
  }
  return {
    digestOf: (task: Task) => runner.digestOf(task),
    resultOf: (task: Task) => runner.resultOf(task),
    nonces: (fromIndex, count) => Array.from({ length: count }, (_, i) => nonceOf(fromIndex + i)),
    shareOf: (session) => {
      const digest = sessionDigest(session)
      if (!shares.has(digest)) setBounded(shares, digest, tryShare(session, digest), keptShares)
      return shares.get(digest)
    },
    viewAfter: (agreed, digest) => viewAfter(history, agreed, digest),
  }

  function tryShare(session: Session, digest: Hex): Hex | undefined {
    const { guard, observer, logger } = options
    const { checkpoint } = session
    const own = session.signers.find(({ operator }) => operator === key.operator)
    if (!own) return undefined
    const { index } = own.nonce
    if (!guard.permits(index, digest)) {
      observer.prevented()
      logger.error('a nonce is bound to another session', { code: 'NonceBound', checkpoint, index })
      return undefined
    }
    try {
      const share = signShare({ key, session, seed, instance })
      observer.permitted()
      return share
    } catch (error) {
      // A nonce of an older instance: the next session will not hold one.
      logger.info('session not signed', { checkpoint, error })
      return undefined
    }
  }
}

/** Answers kept: each is given once, and asked for again until the ledger holds it. */
const keptShares = 64
const keptNonces = 256

function viewAfter(history: L1History, agreed: number, agreedDigest: Hex): L1View {
  const seen = history.view()
  const own = history.digestAt(agreed)
  const events = Math.min(seen.events, agreed + maxL1Events)
  return {
    block: seen.block,
    events,
    digest: history.digestAt(events) ?? seen.digest,
    fork: seen.fork || (own !== undefined && own !== agreedDigest),
  }
}
