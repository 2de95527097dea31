import { unreachable } from '#primitives'
import type { DecidedBlock, Transaction } from '#records'
import type { Environment } from '../environment.ts'
import type { Ledger } from '../ledger.ts'
import { accept, type Outcome, refuse } from '../outcome.ts'
import { l1Events } from './l1-events.ts'
import { randomness } from './randomness.ts'
import { report } from './report.ts'
import { task } from './task.ts'

/** What a transition sees of its block. */
export type TransitionBlock = Pick<DecidedBlock, 'height' | 'timeMs' | 'proposer'>

/**
 * One transaction on the ledger. A `call` changes nothing here: it is checked, and its service's
 * computation decides; an accepted one is due to be executed in this block.
 */
export function applyTransaction(
  ledger: Ledger,
  transaction: Transaction,
  block: TransitionBlock,
  environment: Environment,
): Outcome {
  switch (transaction.kind) {
    case 'randomness':
      return randomness(ledger, transaction, block, environment)
    case 'report':
      return report(ledger, transaction, block, environment)
    case 'l1-events':
      return l1Events(ledger, transaction, block)
    case 'task':
      return task(ledger, transaction, block, environment)
    case 'call':
      return checkCall(ledger, transaction, environment)
    default:
      return unreachable(transaction)
  }
}

function checkCall(
  ledger: Ledger,
  { service: name, payload }: Transaction & { kind: 'call' },
  environment: Environment,
): Outcome {
  const service = environment.services.get(name)
  if (!ledger.services.has(name) || !service || !('begin' in service))
    return refuse('UnknownService', name)
  const verdict = service.check(payload)
  return verdict.ok ? accept(ledger) : refuse(verdict.reason, verdict.detail)
}
