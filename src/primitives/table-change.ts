import { assert } from './errors.ts'
import { childAt } from './table-codec.ts'
import { type FullNode, idIn, type NodeReader, type TrieNode } from './table-node.ts'

/** See `replacedNodes`. */
export function collectReplaced<V>(
  before: FullNode<V> | undefined,
  after: FullNode<V> | undefined,
  firstId: number,
  read: NodeReader,
): readonly number[] {
  const shared = new Set<number>()
  if (after !== undefined) collectShared(after, firstId, read, shared)
  const replaced: number[] = []
  const met = before === undefined ? 0 : collectUnshared(before, shared, read, replaced)
  // Else the store would drop, now or later, what this version needs.
  assert(met === shared.size, 'a version shares nodes only with the one before it')
  return replaced
}

/** The topmost old nodes below the new ones: whatever is under them is shared too. */
function collectShared<V>(
  node: FullNode<V>,
  firstId: number,
  read: NodeReader,
  shared: Set<number>,
): void {
  const id = filedId(node, read)
  if (id < firstId) {
    shared.add(id)
    return
  }
  if (node.kind === 'leaf') return
  for (const [slot, child] of node.children.entries()) {
    const childId = filedId(child, read)
    if (childId < firstId) shared.add(childId)
    else collectShared(childAt(node, slot), firstId, read, shared)
  }
}

/** Puts the ids of nodes above the shared ones into `replaced`; counts the shared ones met. */
function collectUnshared<V>(
  node: FullNode<V>,
  shared: ReadonlySet<number>,
  read: NodeReader,
  replaced: number[],
): number {
  const id = filedId(node, read)
  if (shared.has(id)) return 1
  replaced.push(id)
  if (node.kind === 'leaf') return 0
  let met = 0
  for (const [slot, child] of node.children.entries()) {
    if (shared.has(filedId(child, read))) met++
    else met += collectUnshared(childAt(node, slot), shared, read, replaced)
  }
  return met
}

function filedId<V>(node: TrieNode<V>, read: NodeReader): number {
  const id = idIn(node, read)
  assert(id !== undefined, 'both versions are filed in this store')
  return id
}
