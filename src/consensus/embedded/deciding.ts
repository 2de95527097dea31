import { hash } from 'node:crypto'
import type { Hex } from '#primitives'
import { advanceSchedule, type Output } from '../core/index.ts'
import { type Commit, type SealedBlock, toProposed } from './block.ts'
import { noteIncluded } from './evidence.ts'
import { type Decision, type Runtime, workingHeight } from './runtime.ts'

/** Blocks after which an admitted transaction that was in none no longer asks for one. */
const admittedForBlocks = 3

/** The core's precommits as the commit that is stored and goes into the next block. */
export const toCommit = (decision: Extract<Output, { type: 'decide' }>): Commit => ({
  height: decision.height,
  round: decision.round,
  value: decision.value,
  signatures: decision.precommits.map(({ validator, signature }) => ({ validator, signature })),
})

/**
 * Executes a decided block, stores it durably, then lets the application commit: a crash between
 * any two of these is repaired at the next start from the block store.
 */
export async function finalize(
  runtime: Runtime,
  sealed: SealedBlock,
  commit: Commit,
): Promise<void> {
  const { application, blockStore, log } = runtime.options
  const height = workingHeight(runtime)
  const decided = { ...toProposed(sealed.block), hash: sealed.hash }
  const executed = await application.finalizeBlock(decided)
  const { appHash, validatorUpdates } = executed
  const validators = runtime.tip.schedule.current
  const schedule = advanceSchedule(runtime.tip.schedule, validatorUpdates)
  const { bytes: block } = sealed
  await blockStore.save({ height, block, commit, appHash, validators, schedule })
  await log.endHeight(height)
  await application.commit()
  const { timeMs } = sealed.block.header
  runtime.tip = { height, hash: sealed.hash, timeMs, appHash, commit, validators, schedule }
  runtime.phase = runtime.phase === 'running' ? 'waiting' : runtime.phase
  forget(runtime, sealed)
  runtime.counters.decided++
  if (commit.round > 0) runtime.counters.decidedAboveRound0++
  tell(runtime, { block: decided, round: commit.round, executed })
}

/** The name under which an admitted transaction waits for its block. */
export const transactionName = (bytes: Uint8Array): Hex => `0x${hash('sha256', bytes, 'hex')}`

/** A listener's defect is its own. */
function tell({ listeners, options }: Runtime, decision: Decision): void {
  for (const listener of listeners)
    try {
      listener(decision)
    } catch (error) {
      options.logger.error('a listener to decisions failed', { error })
    }
}

/** Drops what belonged to the decided height. */
function forget(runtime: Runtime, { block }: SealedBlock): void {
  const { admitted, evidence, blocks, assemblies, servedMs, tip } = runtime
  runtime.woken = false
  for (const bytes of block.transactions) admitted.delete(transactionName(bytes))
  for (const [name, height] of admitted)
    if (height + admittedForBlocks <= tip.height) admitted.delete(name)
  noteIncluded(evidence, block.misbehaviour, tip.height)
  for (const [name, { block: held }] of blocks)
    if (held.header.height <= tip.height) blocks.delete(name)
  for (const [name, { height }] of assemblies) if (height <= tip.height) assemblies.delete(name)
  servedMs.clear()
}
