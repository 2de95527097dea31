import type { ConsensusEngine } from '#consensus'
import { assert, fromHex, type Hex, toHex } from '#primitives'
import { execute as executePrice } from '#services/price'
import { type Allocator, createAllocator } from './allocator.ts'
import { honestAnswers, type L1History } from './answers.ts'
import type { Guard } from './guard/guard.ts'
import { createThresholdSigner } from './guard/nonce-guard.ts'
import type { OperatorOptions } from './operator-parts.ts'
import { loadSecp256k1 } from './recover.ts'
import { Reporter } from './reporter.ts'
import { TaskRunner } from './task-runner.ts'

/** How long one price feed may take. */
const feedTimeoutMs = 1_500

/** Who speaks for an operator: its keys, the work it does off-chain, and its view of L1. */
export function createReporter(
  options: OperatorOptions,
  engine: ConsensusEngine,
  history: L1History,
  guard: Guard,
  events: {
    readonly onReady: () => void
    readonly onSuperseded: (by: Hex) => void
    readonly onFailure: (error: unknown) => void
  },
): {
  readonly reporter: Reporter
  readonly runner: TaskRunner
  readonly allocator: Allocator
} {
  const { id: operator, secrets, key, clock, logger, bend } = options
  const { sign } = loadSecp256k1()
  const runner = new TaskRunner({
    operator,
    secret: secrets.saltSecret,
    execute: executeWith(options),
    onResult: events.onReady,
    clock,
    logger,
  })
  const allocator = createAllocator(logger, events.onReady)
  const honest = honestAnswers({
    ...{ runner, history },
    allocationOf: allocator.allocationOf,
    signer: createThresholdSigner({
      ...{ guard, key, seed: secrets.nonceSeed, logger },
      ...{ onReady: events.onReady, onFailure: events.onFailure },
    }),
  })
  const reporter = new Reporter({
    operator,
    instance: guard.instance,
    answers: bend ? bend(honest) : honest,
    nextSequence: (atLeast) => guard.reports.next(atLeast),
    sign: (sequence, digest) =>
      guard.reports.sign(sequence, digest, () =>
        toHex(sign(fromHex(digest), secrets.ledgerSecret)),
      ),
    submit: (bytes) => engine.submit(bytes),
    declares: options.declares,
    onSuperseded: events.onSuperseded,
    nowMs: () => clock.nowMs(),
    logger,
  })
  return { reporter, runner, allocator }
}

/** Off-chain execution of the assigned services. */
const executeWith =
  ({ feeds, clock }: OperatorOptions) =>
  async (service: string, payload: Uint8Array): Promise<Uint8Array> => {
    assert(service === 'price', `off-chain code for ${service}`)
    return executePrice(payload, feeds, { fetch, clock, timeoutMs: feedTimeoutMs })
  }
