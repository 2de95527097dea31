import type { CheckpointRecorded, LeafExecuted, Task } from '#records'
import type { Delivery, Ledger } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import { forgetDelivered } from './outbox.ts'
import { settleTask } from './settlement.ts'

/** A service's results go nowhere when its consumer is this. */
const noConsumer = `0x${'00'.repeat(20)}`

/**
 * Leaves that have come under a recorded root fall to the operator who brought it. A service
 * without a consumer asks for no more than that: its tasks are settled.
 */
export function landDeliveries(
  ledger: Ledger,
  event: CheckpointRecorded,
  block: BlockFacts,
): Ledger {
  return [...ledger.deliveries.values()]
    .filter(({ leafIndex, landedMs }) => landedMs === 0 && leafIndex < event.size)
    .reduce((next, delivery) => {
      const task = next.tasks.get(delivery.task)
      const isDue = task !== undefined && hasConsumer(next, task)
      const landed = { ...delivery, assignee: event.operator, landedMs: block.timeMs }
      return isDue ? withDelivery(next, landed) : endDelivery(next, delivery, block, '')
    }, ledger)
}

/** What follows from a leaf that L1 has executed: its task is paid and ends. */
export function executeLeaf(ledger: Ledger, event: LeafExecuted, block: BlockFacts): Ledger {
  const delivery = ledger.deliveries.get(String(event.leafIndex))
  return delivery
    ? endDelivery(ledger, delivery, block, event.success ? '' : 'ConsumerReverted')
    : ledger
}

/**
 * Ends tasks whose results stood on L1 for long without anyone being able to deliver them. The work
 * is done and provable, so it is paid; the leaf can still be executed by whoever wants to.
 */
export const endOverdueDeliveries = (ledger: Ledger, block: BlockFacts): Ledger =>
  [...ledger.deliveries.values()]
    .filter(({ landedMs }) => landedMs > 0)
    .filter((delivery) => deliveryDueMs(ledger, delivery) <= block.timeMs)
    .reduce((next, delivery) => endDelivery(next, delivery, block, 'NotDelivered'), ledger)

/** When a landed delivery is given up. */
export const deliveryDueMs = (ledger: Ledger, { landedMs }: Delivery): number =>
  landedMs + parameter(ledger, 'deliveryLimitMs')

/** The ledger with a delivery. */
export const withDelivery = (ledger: Ledger, delivery: Delivery): Ledger => ({
  ...ledger,
  deliveries: ledger.deliveries.set(String(delivery.leafIndex), delivery),
})

function endDelivery(
  ledger: Ledger,
  { leafIndex, task: id }: Delivery,
  block: BlockFacts,
  reason: string,
): Ledger {
  const deliveries = ledger.deliveries.delete(String(leafIndex))
  const ended = forgetDelivered({ ...ledger, deliveries }, leafIndex)
  const task = ended.tasks.get(id)
  return task ? settleTask(ended, task, block, reason) : ended
}

const hasConsumer = (ledger: Ledger, { request }: Task): boolean =>
  ledger.services.get(request.service)?.consumer !== noConsumer
