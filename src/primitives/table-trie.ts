import { equalBytes } from './bytes.ts'
import { childAt, readNode } from './table-codec.ts'
import {
  type BranchNode,
  countOf,
  digitAt,
  type FullNode,
  hasDigit,
  type LeafNode,
  newBranch,
  slotOf,
} from './table-node.ts'

/** The leaf of a key's hash, or undefined. */
export function findLeaf<V>(
  root: FullNode<V> | undefined,
  keyHash: Uint8Array,
): LeafNode<V> | undefined {
  let node = root
  for (let depth = 0; node !== undefined && node.kind === 'branch'; depth++) {
    const digit = digitAt(keyHash, depth)
    node = hasDigit(node.bitmap, digit) ? childAt(node, slotOf(node.bitmap, digit)) : undefined
  }
  return node !== undefined && equalBytes(node.keyHash, keyHash) ? node : undefined
}

/** The trie with this leaf in it; the same node when an equal leaf is in it already. */
export function insertLeaf<V>(
  node: FullNode<V> | undefined,
  leaf: LeafNode<V>,
  depth: number,
): FullNode<V> {
  if (node === undefined) return leaf
  if (node.kind === 'branch') return insertBelow(node, leaf, depth)
  if (!equalBytes(node.keyHash, leaf.keyHash)) return splitLeaf(node, leaf, depth)
  return equalBytes(node.bytes, leaf.bytes) ? node : leaf
}

function insertBelow<V>(branch: BranchNode<V>, leaf: LeafNode<V>, depth: number): BranchNode<V> {
  const { bitmap, children, count } = branch
  const digit = digitAt(leaf.keyHash, depth)
  const slot = slotOf(bitmap, digit)
  if (!hasDigit(bitmap, digit))
    return newBranch(bitmap | (1 << digit), children.toSpliced(slot, 0, leaf), count + 1)
  const old = childAt(branch, slot)
  const child = insertLeaf(old, leaf, depth + 1)
  return child === old ? branch : withChild(branch, slot, old, child)
}

/** The smallest branch that holds both leaves. */
function splitLeaf<V>(old: LeafNode<V>, added: LeafNode<V>, depth: number): BranchNode<V> {
  const oldDigit = digitAt(old.keyHash, depth)
  const addedDigit = digitAt(added.keyHash, depth)
  if (oldDigit === addedDigit)
    return newBranch(1 << oldDigit, [splitLeaf(old, added, depth + 1)], 2)
  const bitmap = (1 << oldDigit) | (1 << addedDigit)
  return newBranch(bitmap, oldDigit < addedDigit ? [old, added] : [added, old], 2)
}

/**
 * The trie without this key's leaf; the same node when there is none, undefined when none is left.
 */
export function removeLeaf<V>(
  node: FullNode<V>,
  keyHash: Uint8Array,
  depth: number,
): FullNode<V> | undefined {
  if (node.kind === 'leaf') return equalBytes(node.keyHash, keyHash) ? undefined : node
  const digit = digitAt(keyHash, depth)
  if (!hasDigit(node.bitmap, digit)) return node
  const slot = slotOf(node.bitmap, digit)
  const old = childAt(node, slot)
  const child = removeLeaf(old, keyHash, depth + 1)
  if (child === old) return node
  if (child === undefined) return withoutChild(node, digit, slot)
  // A leaf that is left alone moves up, so that the shape depends on the keys only.
  if (child.kind === 'leaf' && node.children.length === 1) return child
  return withChild(node, slot, old, child)
}

function withoutChild<V>(branch: BranchNode<V>, digit: number, slot: number): FullNode<V> {
  if (branch.children.length === 2) {
    const other = childAt(branch, 1 - slot)
    if (other.kind === 'leaf') return other
  }
  const children = branch.children.toSpliced(slot, 1)
  return newBranch(branch.bitmap & ~(1 << digit), children, branch.count - 1)
}

function withChild<V>(
  branch: BranchNode<V>,
  slot: number,
  old: FullNode<V>,
  child: FullNode<V>,
): BranchNode<V> {
  const count = branch.count - countOf(old) + countOf(child)
  return newBranch(branch.bitmap, branch.children.with(slot, child), count)
}

/** All leaves in ascending order of their key hashes. */
export function* leavesOf<V>(node: FullNode<V> | undefined): Generator<LeafNode<V>> {
  if (node === undefined) return
  if (node.kind === 'leaf') {
    yield node
    return
  }
  for (let slot = 0; slot < node.children.length; slot++) yield* leavesOf(childAt(node, slot))
}

/** The same, reading what is in the store without keeping it: for tables larger than memory. */
export function* passingLeavesOf<V>(node: FullNode<V> | undefined): Generator<LeafNode<V>> {
  if (node === undefined) return
  if (node.kind === 'leaf') {
    yield node
    return
  }
  for (const child of node.children)
    yield* passingLeavesOf(child.kind === 'stub' ? readNode<V>(child) : child)
}
