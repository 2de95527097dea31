import type { Hex, Logger } from '#primitives'
import { type L1View, maxL1Events, type Session, type Task } from '#records'
import { type KeyPackage, nonceCommitment, sessionDigest, signShare } from '#threshold'
import type { Answers } from './reporter.ts'
import type { TaskRunner } from './task-runner.ts'

/** What an operator has seen of L1, as the listener keeps it. */
export type L1History = {
  readonly view: () => L1View
  /** Digest after so many events; undefined when it has not seen that many. */
  readonly digestAt: (events: number) => Hex | undefined
}

/** How an honest operator answers its duties. */
export function honestAnswers(options: {
  readonly runner: TaskRunner
  readonly key: KeyPackage
  /** 32 bytes, sealed in the keystore. */
  readonly seed: Hex
  readonly instance: Hex
  readonly history: L1History
  readonly logger: Logger
}): Answers {
  const { runner, key, seed, instance, history, logger } = options
  const shares = new Map<Hex, Hex | undefined>()
  return {
    digestOf: (task: Task) => runner.digestOf(task),
    resultOf: (task: Task) => runner.resultOf(task),
    nonces: (fromIndex, count) =>
      Array.from({ length: count }, (_, i) => nonceCommitment(key, seed, instance, fromIndex + i)),
    shareOf: (session) => {
      const digest = sessionDigest(session)
      if (!shares.has(digest)) shares.set(digest, tryShare(session))
      if (shares.size > maxShares) shares.delete(shares.keys().next().value as Hex)
      return shares.get(digest)
    },
    viewAfter: (agreed, digest) => viewAfter(history, agreed, digest),
  }

  /** A session that holds a nonce of an older instance cannot be answered: the next one will be. */
  function tryShare(session: Session): Hex | undefined {
    try {
      return signShare({ key, session, seed, instance })
    } catch (error) {
      logger.info('session not signed', { checkpoint: session.checkpoint, error: String(error) })
      return undefined
    }
  }
}

/** Shares kept: a session is answered once, and asked for again until the ledger holds the answer. */
const maxShares = 64

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
