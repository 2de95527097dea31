import type { CheckpointRecorded } from '#records'
import type { Windows } from '../chain.ts'
import { type Ledger, operatorOf, withChain, withOperator } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import { certifiedSize, forgetCheckpoints, withCheckpoint } from './checkpoints.ts'
import { landDeliveries } from './deliveries.ts'
import { closeSession } from './sessions.ts'

/**
 * What follows from a checkpoint that L1 has recorded. L1 records rising indices only, so that an
 * older one is no news.
 */
export function landCheckpoint(
  ledger: Ledger,
  event: CheckpointRecorded,
  block: BlockFacts,
): Ledger {
  const { windows, landed } = ledger.chain
  if (event.index <= landed.index) return ledger
  const recorded = closeSessions(markLanded(ledger, event), event.index)
  const closes = windows !== undefined && event.index >= windows.first
  const judged = closes ? countMisses(recorded, windows, event) : recorded
  const moved = withChain(judged, {
    landed: { index: event.index, size: event.size },
    cutSize: Math.max(judged.chain.cutSize, certifiedSize(judged)),
    windows: closes ? undefined : windows,
  })
  return landDeliveries(forgetCheckpoints(moved), event, block)
}

/**
 * The recorded checkpoint has landed, and with it every older one that it holds. It need not be
 * certified here, and may even be given up: shares travel openly, and anyone can put them together.
 * An older one that was given up stays so: L1 has not recorded it and takes it no more.
 */
function markLanded(ledger: Ledger, event: CheckpointRecorded): Ledger {
  const { transaction, block, timeS, submitter, operator, window } = event
  const recorded = { transaction, block, timeS, submitter, operator, window }
  return [...ledger.checkpoints.values()]
    .filter(({ checkpoint }) => checkpoint.index <= event.index)
    .filter(
      ({ checkpoint: { index }, status }) =>
        status === 'pending' || status === 'certified' || index === event.index,
    )
    .reduce(
      (next, entry) =>
        withCheckpoint(next, {
          ...entry,
          status: 'landed',
          recorded: entry.checkpoint.index === event.index ? recorded : undefined,
        }),
      ledger,
    )
}

/** What has landed needs no signature any more. */
const closeSessions = (ledger: Ledger, upTo: number): Ledger =>
  [...ledger.sessions.values()]
    .filter(({ checkpoint }) => checkpoint <= upTo)
    .reduce(closeSession, ledger)

/**
 * The owners of the windows that passed before this landing have missed them, if a certificate
 * stood a margin before the window's end.
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
