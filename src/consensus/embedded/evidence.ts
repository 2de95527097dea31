import type { Conflict, ValidatorSet } from '../core/index.ts'
import { maxBlockMisbehaviour, openBlock } from './block.ts'
import type { BlockStore } from './block-store.ts'
import { isGoodConflict } from './checks.ts'
import { type Evidence, type Runtime, workingHeight } from './runtime.ts'

/** A double vote counts for this many heights; a block holds each (validator, height) once. */
export const maxEvidenceAgeBlocks = 1000

/** Most double votes that wait for a block. */
const maxPending = 256

/** Remembers a double vote until a block holds it. */
export function addEvidence({ evidence }: Runtime, conflict: Conflict): void {
  const key = keyOf(conflict)
  if (evidence.included.has(key) || evidence.pending.size >= maxPending) return
  evidence.pending.set(key, conflict)
}

/** What the next block should hold. */
export function evidenceForBlock(runtime: Runtime): readonly Conflict[] {
  return [...runtime.evidence.pending.values()]
    .filter((conflict) => isFresh(conflict, workingHeight(runtime)))
    .slice(0, maxBlockMisbehaviour)
}

/**
 * Whether a block's double votes are real, fresh, of validators of their height, and not in an
 * earlier block. The same on every validator that has the same blocks.
 */
export async function isGoodEvidence(
  runtime: Runtime,
  conflicts: readonly Conflict[],
): Promise<boolean> {
  const { networkId } = runtime.options
  const named = new Set<string>()
  for (const conflict of conflicts) {
    const key = keyOf(conflict)
    if (named.has(key) || runtime.evidence.included.has(key)) return false
    if (!isFresh(conflict, workingHeight(runtime))) return false
    const validators = await validatorsAt(runtime, conflict.first.height)
    if (!validators?.positions.has(conflict.first.validator)) return false
    if (!isGoodConflict({ networkId, verify: runtime.verify }, conflict)) return false
    named.add(key)
  }
  return true
}

/** Marks a decided block's double votes, and forgets those too old to matter. */
export function noteIncluded(
  { pending, included }: Evidence,
  conflicts: readonly Conflict[],
  height: number,
): void {
  for (const conflict of conflicts) {
    included.set(keyOf(conflict), conflict.first.height)
    pending.delete(keyOf(conflict))
  }
  for (const [key, at] of included) if (isStale(at, height)) included.delete(key)
  for (const [key, { first }] of pending) if (isStale(first.height, height)) pending.delete(key)
}

/** What recent blocks already hold, after a start. */
export async function loadIncluded(evidence: Evidence, store: BlockStore): Promise<void> {
  const last = store.height()
  for (let height = Math.max(1, last - maxEvidenceAgeBlocks); height <= last; height++) {
    const stored = await store.load(height)
    if (stored) noteIncluded(evidence, openBlock(stored.block).block.misbehaviour, height)
  }
}

async function validatorsAt(runtime: Runtime, height: number): Promise<ValidatorSet | undefined> {
  if (height === workingHeight(runtime)) return runtime.tip.schedule.current
  const stored = await runtime.options.blockStore.load(height)
  return stored?.validators
}

const isStale = (height: number, now: number) => height < now - maxEvidenceAgeBlocks

const isFresh = ({ first }: Conflict, now: number): boolean =>
  first.height >= 1 && first.height <= now && !isStale(first.height, now)

const keyOf = ({ first }: Conflict): string => `${first.validator}@${first.height}`
