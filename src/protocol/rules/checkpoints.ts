import { fromHex, sha256, shuffle, uint64Bytes, utf8 } from '#primitives'
import {
  type Checkpoint,
  type CheckpointRecord,
  type OperatorId,
  submittersPerCheckpoint,
} from '#records'
import type { Windows } from '../chain.ts'
import { activeOperators, type Ledger, withChain } from '../ledger.ts'
import type { BlockFacts } from '../outcome.ts'
import { parameter } from '../parameters.ts'
import { outboxRoot } from './outbox.ts'

/** Checkpoints that stay in the ledger: as many as the Outbox keeps roots. */
export const checkpointsKept = 256

/** Time at which the next checkpoint may be cut; undefined while there is nothing to certify. */
export const nextCutMs = (ledger: Ledger): number | undefined =>
  ledger.chain.outboxSize > ledger.chain.cutSize && ledger.sessions.size === 0
    ? ledger.chain.cutMs + parameter(ledger, 'checkpointIntervalMs')
    : undefined

/** The ledger with a new checkpoint over everything in the outbox, not yet being signed. */
export function cutCheckpoint(ledger: Ledger, block: BlockFacts): Ledger {
  const index = ledger.chain.cutIndex + 1
  const windows = ledger.chain.windows ?? openWindows(ledger, block, index)
  const checkpoint: Checkpoint = {
    index,
    size: ledger.chain.outboxSize,
    root: outboxRoot(ledger),
    startS: windows.startS,
    windowS: windows.windowS,
    submitters: windows.submitters,
  }
  const entry: CheckpointRecord = {
    checkpoint,
    status: 'pending',
    cutMs: block.timeMs,
    certifiedMs: 0,
    signature: undefined,
    recorded: undefined,
  }
  return withChain(
    {
      ...ledger,
      checkpoints: ledger.checkpoints
        .set(String(index), entry)
        .delete(String(index - checkpointsKept)),
    },
    { cutIndex: index, cutSize: checkpoint.size, cutMs: block.timeMs, windows },
  )
}

/** New windows: the first opens a margin from now; their owners are drawn from the randomness. */
function openWindows(ledger: Ledger, block: BlockFacts, index: number): Windows {
  const seed = sha256(utf8('NodeOP submitters'), fromHex(ledger.chain.mix), uint64Bytes(index))
  const order: readonly OperatorId[] = shuffle(
    seed,
    activeOperators(ledger).map(({ id }) => id),
  )
  const marginMs = parameter(ledger, 'windowMarginMs')
  return {
    first: index,
    startS: Math.floor((block.timeMs + marginMs) / 1000),
    windowS: parameter(ledger, 'windowS'),
    submitters: order.slice(0, submittersPerCheckpoint),
    certifiedMs: 0,
  }
}

/** The ledger with a changed checkpoint. */
export const withCheckpoint = (ledger: Ledger, entry: CheckpointRecord): Ledger => ({
  ...ledger,
  checkpoints: ledger.checkpoints.set(String(entry.checkpoint.index), entry),
})

/** The checkpoint of an index, while it is kept. */
export const checkpointOf = (ledger: Ledger, index: number): CheckpointRecord | undefined =>
  ledger.checkpoints.get(String(index))
