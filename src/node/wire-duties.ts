import type { EmbeddedEngine } from '#consensus'
import { assert, fromHex, toHex } from '#primitives'
import { execute as executePrice } from '#services/price'
import { honestAnswers, type L1History } from './answers.ts'
import type { LedgerApplication } from './application.ts'
import type { OperatorOptions } from './operator-parts.ts'
import { loadSecp256k1 } from './recover.ts'
import { Reporter } from './reporter.ts'
import { TaskRunner } from './task-runner.ts'

/** How long one price feed may take. */
const feedTimeoutMs = 1_500

/** Who speaks for an operator: its keys, the work it does off-chain, and its view of L1. */
export function createReporter(
  options: OperatorOptions,
  application: LedgerApplication,
  engine: EmbeddedEngine,
  history: L1History,
): Reporter {
  const { id: operator, secrets, key, rng, clock, logger, bend } = options
  const { sign } = loadSecp256k1()
  const instance = toHex(rng(32))
  const runner = new TaskRunner({
    operator,
    secret: secrets.saltSecret,
    execute: executeWith(options),
    onResult: () => void reporter.speak(application.ledger, application.height),
    logger,
  })
  const honest = honestAnswers({ runner, key, seed: secrets.nonceSeed, instance, history, logger })
  const reporter = new Reporter({
    operator,
    instance,
    answers: bend ? bend(honest) : honest,
    sign: (digest) => toHex(sign(fromHex(digest), secrets.ledgerSecret)),
    submit: (bytes) => engine.submit(bytes),
    nowMs: () => clock.nowMs(),
    logger,
  })
  return reporter
}

/** Off-chain execution of the assigned services. */
const executeWith =
  ({ feeds, clock }: OperatorOptions) =>
  (service: string, payload: Uint8Array): Promise<Uint8Array> => {
    assert(service === 'price', `off-chain code for ${service}`)
    return executePrice(payload, feeds, { fetch, clock, timeoutMs: feedTimeoutMs })
  }
