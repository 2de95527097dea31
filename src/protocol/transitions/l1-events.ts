import { type Hex, isMoreThanTwoThirds, unreachable, wei } from '#primitives'
import { chainL1Digest, type L1Event, type Transaction } from '#records'
import { type Ledger, operatorsOf, totalPower, withChain } from '../ledger.ts'
import { accept, type BlockFacts, type Outcome, refuse } from '../outcome.ts'
import { landCheckpoint } from '../rules/landing.ts'
import { settleLeaf } from '../rules/settlement.ts'
import { credit } from '../rules/tasks.ts'

/**
 * Takes the next L1 events, as far as more than two thirds of the power have reported a history that
 * runs through them. Unvouched ones are refused and leave nothing behind, so anyone may bring them.
 */
export function l1Events(
  ledger: Ledger,
  { events }: Transaction & { kind: 'l1-events' },
  block: BlockFacts,
): Outcome {
  if (ledger.chain.frozen) return refuse('L1Frozen')
  const vouched = vouchedEvents(ledger, events)
  if (vouched === 0) return refuse('NotVouched')
  const digests = digestsAfter(ledger.chain.l1.digest, events)
  const applied = events
    .slice(0, vouched)
    .reduce((next, event) => applyEvent(next, event, block), ledger)
  return accept(
    withChain(applied, {
      l1: {
        block: events[vouched - 1]?.block ?? ledger.chain.l1.block,
        events: ledger.chain.l1.events + vouched,
        digest: digests[vouched - 1] ?? ledger.chain.l1.digest,
      },
    }),
  )
}

/** How many of these next events more than two thirds of the power vouch for. */
export function vouchedEvents(ledger: Ledger, events: readonly L1Event[]): number {
  const { digest, events: agreed } = ledger.chain.l1
  const digests = digestsAfter(digest, events)
  const reach = operatorsOf(ledger).map(({ power, view }) => {
    const place = view.events - agreed
    const isOnChain = place > 0 && !view.fork && digests[place - 1] === view.digest
    return { power, count: isOnChain ? place : 0 }
  })
  const total = totalPower(ledger)
  const powerBeyond = (count: number) =>
    reach.filter((one) => one.count >= count).reduce((sum, { power }) => sum + power, 0n)
  let vouched = 0
  while (vouched < events.length && isMoreThanTwoThirds(powerBeyond(vouched + 1), total)) {
    vouched += 1
  }
  return vouched
}

/** The digest of the L1 history after each of these events. */
function digestsAfter(digest: Hex, events: readonly L1Event[]): readonly Hex[] {
  let last = digest
  return events.map((event) => {
    last = chainL1Digest(last, event)
    return last
  })
}

function applyEvent(ledger: Ledger, event: L1Event, block: BlockFacts): Ledger {
  switch (event.kind) {
    case 'checkpoint-recorded':
      return landCheckpoint(ledger, event, block)
    case 'leaf-executed':
      return settleLeaf(ledger, event, block)
    case 'deposited':
      return credit(ledger, event.account, wei(event.amountWei))
    default:
      return unreachable(event)
  }
}
