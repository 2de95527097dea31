import { appendLeaf as appendHash, type Hex, rangeRoot } from '#primitives'
import { type Leaf, leafHash } from '#records'
import { type Ledger, withChain } from '../ledger.ts'

/**
 * Leaves whose content stays in the ledger, besides those that wait for delivery: more than one
 * block can add, so that whoever follows the blocks sees each. Proofs of older ones come from an
 * index beside the ledger; of them, the ledger keeps the hash in its peaks.
 */
export const leavesKept = 8192

/** The ledger with one more leaf in its outbox, and the leaf's index. */
export function appendLeaf(
  ledger: Ledger,
  draft: Omit<Leaf, 'index'>,
): { readonly ledger: Ledger; readonly index: number } {
  const index = ledger.chain.outboxSize
  const leaf: Leaf = { ...draft, index }
  const range = appendHash({ size: index, peaks: ledger.chain.outboxPeaks }, leafHash(leaf))
  const grown = withChain(ledger, { outboxSize: range.size, outboxPeaks: range.peaks })
  const leaves = ledger.leaves.set(String(index), leaf)
  return { ledger: forgetLeaf({ ...grown, leaves }, index - leavesKept), index }
}

/** Drops a delivered leaf that was kept for its delivery alone. */
export const forgetDelivered = (ledger: Ledger, index: number): Ledger =>
  index < ledger.chain.outboxSize - leavesKept ? forgetLeaf(ledger, index) : ledger

/** Root over all leaves so far. */
export const outboxRoot = (ledger: Ledger): Hex =>
  rangeRoot({ size: ledger.chain.outboxSize, peaks: ledger.chain.outboxPeaks })

const forgetLeaf = (ledger: Ledger, index: number): Ledger =>
  ledger.deliveries.has(String(index))
    ? ledger
    : { ...ledger, leaves: ledger.leaves.delete(String(index)) }
