import { unreachable } from '#primitives'
import type { L1Event, Transaction } from '#records'
import { type Ledger, withChain } from '../ledger.ts'
import { accept, type BlockFacts, type Outcome, refuse } from '../outcome.ts'
import { deposit } from '../rules/accounts.ts'
import { executeLeaf } from '../rules/deliveries.ts'
import { landCheckpoint } from '../rules/landing.ts'
import { isL1Frozen, vouchingFor } from '../rules/vouching.ts'

/**
 * Takes the next L1 events, as far as more than two thirds of the power have reported a history
 * that runs through them. Unvouched ones are refused and leave nothing behind, so anyone may bring
 * them.
 */
export function l1Events(
  ledger: Ledger,
  { events }: Transaction & { kind: 'l1-events' },
  block: BlockFacts,
): Outcome {
  if (isL1Frozen(ledger)) return refuse('L1Frozen')
  const { vouched, digests } = vouchingFor(ledger, events)
  const last = events[vouched - 1]
  const digest = digests[vouched - 1]
  if (!last || !digest) return refuse('NotVouched')
  const applied = events
    .slice(0, vouched)
    .reduce((next, event) => applyEvent(next, event, block), ledger)
  const agreed = { block: last.block, events: ledger.chain.l1.events + vouched, digest }
  return accept(withChain(applied, { l1: agreed }))
}

function applyEvent(ledger: Ledger, event: L1Event, block: BlockFacts): Ledger {
  switch (event.kind) {
    case 'checkpoint-recorded':
      return landCheckpoint(ledger, event, block)
    case 'leaf-executed':
      return executeLeaf(ledger, event, block)
    case 'deposited':
      return deposit(ledger, event.account, event.amountWei)
    default:
      return unreachable(event)
  }
}
