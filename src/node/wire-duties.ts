import type { EmbeddedEngine } from '#consensus'
import { assert, fromHex, type Hex, toHex } from '#primitives'
import { execute as executePrice } from '#services/price'
import { honestAnswers, type L1History } from './answers.ts'
import type { Metrics } from './metrics.ts'
import { createNonceGuard } from './nonce-guard.ts'
import type { OperatorOptions } from './operator-parts.ts'
import { loadSecp256k1 } from './recover.ts'
import { Reporter } from './reporter.ts'
import { TaskRunner } from './task-runner.ts'

/** How long one price feed may take. */
const feedTimeoutMs = 1_500

/** Who speaks for an operator: its keys, the work it does off-chain, and its view of L1. */
export function createReporter(
  options: OperatorOptions,
  engine: EmbeddedEngine,
  history: L1History,
  metrics: Metrics,
  events: { readonly onResult: () => void; readonly onSuperseded: (by: Hex) => void },
): { readonly reporter: Reporter; readonly runner: TaskRunner } {
  const { id: operator, secrets, key, rng, clock, logger, bend } = options
  const { sign } = loadSecp256k1()
  const instance = toHex(rng(32))
  const runner = new TaskRunner({
    operator,
    secret: secrets.saltSecret,
    execute: executeWith(options),
    onResult: events.onResult,
    clock,
    logger,
  })
  const honest = honestAnswers({
    ...{ runner, key, instance, history, logger },
    seed: secrets.nonceSeed,
    guard: createNonceGuard(),
    observer: {
      permitted: () => metrics.signingPermitted.inc({ key: 'threshold' }),
      prevented: () => metrics.signingPrevented.inc({ key: 'threshold' }),
    },
  })
  const reporter = new Reporter({
    operator,
    instance,
    answers: bend ? bend(honest) : honest,
    sign: (digest) => toHex(sign(fromHex(digest), secrets.ledgerSecret)),
    submit: (bytes) => engine.submit(bytes),
    onSuperseded: events.onSuperseded,
    nowMs: () => clock.nowMs(),
    logger,
  })
  return { reporter, runner }
}

/** Off-chain execution of the assigned services. */
const executeWith =
  ({ feeds, clock }: OperatorOptions) =>
  async (service: string, payload: Uint8Array): Promise<Uint8Array> => {
    assert(service === 'price', `off-chain code for ${service}`)
    return executePrice(payload, feeds, { fetch, clock, timeoutMs: feedTimeoutMs })
  }
