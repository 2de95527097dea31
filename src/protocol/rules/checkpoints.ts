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
import { canSign } from './signers.ts'

/** Checkpoints that stay in the ledger: as many as the Outbox keeps roots. */
export const checkpointsKept = 256

/**
 * Time at which the next checkpoint may be cut; undefined while there is nothing to certify, one is
 * being signed, or too few operators have nonces: the reports that bring them make blocks.
 */
export const nextCutMs = (ledger: Ledger): number | undefined =>
  ledger.chain.outboxSize > ledger.chain.cutSize && ledger.sessions.size === 0 && canSign(ledger)
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
  const cut = { cutIndex: index, cutSize: checkpoint.size, cutMs: block.timeMs, windows }
  return forgetCheckpoints(withChain(withCheckpoint(ledger, entry), cut))
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

/**
 * Gives up a checkpoint that could not be signed: what it held is in the next one. Windows in which
 * nothing stood certified are void, or their owners would answer for what they never had.
 */
export function abandonCheckpoint(ledger: Ledger, index: number): Ledger {
  const entry = checkpointOf(ledger, index)
  if (!entry) return ledger
  const abandoned = withCheckpoint(ledger, { ...entry, status: 'abandoned' })
  const { windows } = ledger.chain
  return withChain(abandoned, {
    cutSize: certifiedSize(abandoned),
    windows: windows?.certifiedMs === 0 ? undefined : windows,
  })
}

/** The ledger with a changed checkpoint. */
export const withCheckpoint = (ledger: Ledger, entry: CheckpointRecord): Ledger => ({
  ...ledger,
  checkpoints: ledger.checkpoints.set(String(entry.checkpoint.index), entry),
})

/** The checkpoint of an index, while it is kept. */
export const checkpointOf = (ledger: Ledger, index: number): CheckpointRecord | undefined =>
  ledger.checkpoints.get(String(index))

/** The newest certificate that L1 has not recorded; it holds everything that older ones hold. */
export const newestCertified = (ledger: Ledger): CheckpointRecord | undefined =>
  [...ledger.checkpoints.values()]
    .filter(({ status }) => status === 'certified')
    .reduce<CheckpointRecord | undefined>(
      (newest, one) => (newest && newest.checkpoint.index > one.checkpoint.index ? newest : one),
      undefined,
    )

/**
 * Drops old checkpoints, but never the one that leaves are delivered under, nor the one that waits
 * for L1: while signing or L1 fails, many are cut that are worth nothing.
 */
export function forgetCheckpoints(ledger: Ledger): Ledger {
  const { cutIndex, landed } = ledger.chain
  const needed = [landed.index, newestCertified(ledger)?.checkpoint.index]
  const old = [...ledger.checkpoints.values()].filter(
    ({ checkpoint: { index } }) => index <= cutIndex - checkpointsKept && !needed.includes(index),
  )
  if (old.length === 0) return ledger
  const checkpoints = old.reduce(
    (table, { checkpoint }) => table.delete(String(checkpoint.index)),
    ledger.checkpoints,
  )
  return { ...ledger, checkpoints }
}

/** Leaves of the outbox that the group has signed for. */
export const certifiedSize = (ledger: Ledger): number =>
  [...ledger.checkpoints.values()]
    .filter(({ status }) => status === 'certified' || status === 'landed')
    .reduce((largest, { checkpoint }) => Math.max(largest, checkpoint.size), 0)
