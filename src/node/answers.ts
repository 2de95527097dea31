import type { Hex } from '#primitives'
import { type L1View, maxL1Events, type Task } from '#records'
import type { ThresholdSigner } from './guard/nonce-guard.ts'
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
  readonly signer: ThresholdSigner
  readonly history: L1History
  readonly allocationOf: Answers['allocationOf']
}): Answers {
  const { runner, signer, history, allocationOf } = options
  return {
    digestOf: (task: Task) => runner.digestOf(task),
    resultOf: (task: Task) => runner.resultOf(task),
    nonces: signer.nonces,
    shareOf: signer.shareOf,
    allocationOf,
    viewAfter: (agreed, digest) => viewAfter(history, agreed, digest),
  }
}

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
