import { appendLeaf as appendHash, type Hex, rangeRoot } from '#primitives'
import { type Leaf, leafHash } from '#records'
import { type Ledger, withChain } from '../ledger.ts'

/** The ledger with one more leaf in its outbox, and the leaf's index. */
export function appendLeaf(
  ledger: Ledger,
  draft: Omit<Leaf, 'index'>,
): { readonly ledger: Ledger; readonly index: number } {
  const index = ledger.chain.outboxSize
  const leaf: Leaf = { ...draft, index }
  const range = appendHash({ size: index, peaks: ledger.chain.outboxPeaks }, leafHash(leaf))
  const appended = withChain(ledger, { outboxSize: range.size, outboxPeaks: range.peaks })
  return { ledger: { ...appended, leaves: ledger.leaves.set(String(index), leaf) }, index }
}

/** Root over all leaves so far. */
export const outboxRoot = (ledger: Ledger): Hex =>
  rangeRoot({ size: ledger.chain.outboxSize, peaks: ledger.chain.outboxPeaks })
