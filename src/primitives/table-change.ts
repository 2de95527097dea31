import { assert } from './errors.ts'
import { childAt } from './table-codec.ts'
import {
  type BranchNode,
  type FullNode,
  hasDigit,
  idIn,
  type NodeReader,
  radix,
  type TrieNode,
} from './table-node.ts'

/** Ids of the nodes that only the earlier version needs; see `replacedNodes`. */
export function collectReplaced<V>(
  before: FullNode<V> | undefined,
  after: FullNode<V> | undefined,
  firstId: number,
  read: NodeReader,
): readonly number[] {
  const change: Change = { firstId, read, replaced: [] }
  compare(change, before, after)
  return change.replaced
}

type Change = {
  /** From here on ids are of nodes that the earlier version does not have. */
  readonly firstId: number
  readonly read: NodeReader
  readonly replaced: number[]
}

/** Compares what is at one place of the two versions. */
function compare<V>(
  change: Change,
  before: FullNode<V> | undefined,
  after: FullNode<V> | undefined,
): void {
  if (before === after) return
  if (before?.kind === 'branch' && after?.kind === 'branch') {
    compareBranches(change, before, after)
    return
  }
  // Only a leaf changes its place: down when another one joins it, up when it is left alone.
  const kept = after === undefined ? 0 : oldLeafIn(change, after)
  const isMet = before !== undefined && replaceAll(change, before, kept)
  assert(kept === 0 || isMet, strangeNode)
}

function compareBranches<V>(change: Change, before: BranchNode<V>, after: BranchNode<V>): void {
  const id = filedId(before, change.read)
  const afterId = filedId(after, change.read)
  if (id === afterId) return
  assert(afterId >= change.firstId, strangeNode)
  change.replaced.push(id)
  let slot = 0
  let afterSlot = 0
  for (let digit = 0; digit < radix; digit++) {
    const at = hasDigit(before.bitmap, digit) ? slot++ : -1
    const afterAt = hasDigit(after.bitmap, digit) ? afterSlot++ : -1
    const old = before.children[at]
    const now = after.children[afterAt]
    if (old === now) continue
    if (old && now && filedId(old, change.read) === filedId(now, change.read)) continue
    compare(change, old && childAt(before, at), now && childAt(after, afterAt))
  }
}

/** The id of the only old node below new ones, a leaf; 0 when all are new. */
function oldLeafIn<V>(change: Change, node: FullNode<V>): number {
  const id = filedId(node, change.read)
  if (id < change.firstId) {
    assert(node.kind === 'leaf', strangeNode)
    return id
  }
  if (node.kind === 'leaf') return 0
  const old = node.children
    .map((_, slot) => oldLeafIn(change, childAt(node, slot)))
    .filter((found) => found !== 0)
  assert(old.length <= 1, strangeNode)
  return old[0] ?? 0
}

/**
 * Counts all nodes here and below as replaced but the one that is kept; says whether it was met.
 */
function replaceAll<V>(change: Change, node: FullNode<V>, kept: number): boolean {
  const id = filedId(node, change.read)
  if (id === kept) return true
  change.replaced.push(id)
  if (node.kind === 'leaf') return false
  let isMet = false
  for (let slot = 0; slot < node.children.length; slot++)
    isMet = replaceAll(change, childAt(node, slot), kept) || isMet
  return isMet
}

function filedId<V>(node: TrieNode<V>, read: NodeReader): number {
  const id = idIn(node, read)
  assert(id !== undefined, 'both versions are filed in this store')
  return id
}

/** Else the store would drop, now or later, what the later version needs. */
const strangeNode = 'a version shares nodes only with the one before it'
