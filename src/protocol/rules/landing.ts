import type { CheckpointRecorded } from '#records'
import type { Windows } from '../chain.ts'
import { type Ledger, operatorOf, withChain, withOperator } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import { checkpointOf, withCheckpoint } from './checkpoints.ts'

/** What follows from a checkpoint that L1 has recorded. */
export function landCheckpoint(
  ledger: Ledger,
  event: CheckpointRecorded,
  block: BlockFacts,
): Ledger {
  const { windows, landed } = ledger.chain
  const recorded = markRecorded(ledger, event)
  const superseded = markSuperseded(recorded, landed.index, event.index)
  const closes = windows !== undefined && event.index >= windows.first
  const judged = closes ? countMisses(superseded, windows, event) : superseded
  return assignDeliveries(
    withChain(judged, {
      landed: { index: event.index, size: event.size },
      windows: closes ? undefined : windows,
    }),
    event,
    block,
  )
}

function markRecorded(ledger: Ledger, event: CheckpointRecorded): Ledger {
  const entry = checkpointOf(ledger, event.index)
  if (!entry) return ledger
  const { transaction, block, timeS, submitter, operator, window } = event
  const recorded = { transaction, block, timeS, submitter, operator, window }
  return withCheckpoint(ledger, { ...entry, status: 'landed', recorded })
}

/** A newer checkpoint holds everything that older ones held. */
function markSuperseded(ledger: Ledger, after: number, before: number): Ledger {
  let next = ledger
  for (let index = after + 1; index < before; index++) {
    const entry = checkpointOf(next, index)
    if (entry?.status === 'certified') next = withCheckpoint(next, { ...entry, status: 'landed' })
  }
  return next
}

/**
 * The owners of the windows that passed before this landing have missed them, if a certificate stood
 * a margin before the window's end.
 */
function countMisses(ledger: Ledger, windows: Windows, event: CheckpointRecorded): Ledger {
  const marginMs = parameter(ledger, 'missMarginMs')
  return windows.submitters.slice(0, event.window).reduce((next, id, place) => {
    const endMs = (windows.startS + (place + 1) * windows.windowS) * 1000
    const owner = operatorOf(next, id)
    const hadTime = windows.certifiedMs > 0 && windows.certifiedMs + marginMs <= endMs
    if (!owner || !hadTime) return next
    return withOperator(next, { ...owner, missedWindows: owner.missedWindows + 1 })
  }, ledger)
}

/** Leaves that have come under a recorded root fall to the operator who brought it. */
function assignDeliveries(ledger: Ledger, event: CheckpointRecorded, block: BlockFacts): Ledger {
  const deliveries = [...ledger.deliveries.values()]
    .filter(({ leafIndex, landedMs }) => landedMs === 0 && leafIndex < event.size)
    .reduce(
      (table, delivery) =>
        table.set(String(delivery.leafIndex), {
          ...delivery,
          assignee: event.operator,
          landedMs: block.timeMs,
        }),
      ledger.deliveries,
    )
  return { ...ledger, deliveries }
}
