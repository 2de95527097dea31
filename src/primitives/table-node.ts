import { utf8 } from './bytes.ts'
import { assert } from './errors.ts'
import { sha256 } from './hashes.ts'

/** Gives the bytes of a node's row by its id, or undefined when there is none. One per store. */
export type NodeReader = {
  (id: number): Uint8Array | undefined
  /** Said of a damaged row: where it is, and what helps. */
  readonly origin?: { readonly file: string; readonly remedy: string }
}

/** A branch's children are one hex digit of the key's hash each. */
export const radix = 16

/** A key's hash has this many hex digits: no path is longer. */
export const maxDepth = 64

/** The root of a table without entries: 32 zero bytes, which no SHA-256 gives. */
export const emptyRoot: Uint8Array = new Uint8Array(32)

/**
 * What a node remembers once it is known. These fields are the only ones that change after a node
 * is made, and none of them changes what the node means.
 */
type Memory = {
  hash: Uint8Array | undefined
  /** The stores that hold this node's row: one, unless several operators share a process. */
  filed: Filing | undefined
}

/** A store, the id of a node's row there, and the next store that holds it. */
export type Filing = {
  readonly reader: NodeReader
  readonly id: number
  readonly next: Filing | undefined
}

/** One entry, at the shallowest place where no other key's hash begins with the same digits. */
export type LeafNode<V> = Memory & {
  readonly kind: 'leaf'
  readonly keyHash: Uint8Array
  readonly key: string
  readonly bytes: Uint8Array
  /** The decoded value, once somebody asked for it. */
  value: V | undefined
}

/** All entries, two or more, whose key hashes begin with the digits that lead here. */
export type BranchNode<V> = Memory & {
  readonly kind: 'branch'
  /** Bit d is set when there is a child for digit d. */
  readonly bitmap: number
  /** In the order of their digits. A loaded child takes its stub's place. */
  readonly children: TrieNode<V>[]
  /** Entries below. */
  readonly count: number
}

/** A node that is still in its store. */
export type StubNode = {
  readonly kind: 'stub'
  readonly reader: NodeReader
  readonly id: number
  readonly hash: Uint8Array
}

/** The id of a node in a store, or undefined when it holds none that is known of. */
export function idIn<V>(node: TrieNode<V>, read: NodeReader): number | undefined {
  if (node.kind === 'stub') return node.reader === read ? node.id : undefined
  let filing = node.filed
  while (filing !== undefined && filing.reader !== read) filing = filing.next
  return filing?.id
}

/** A node whose content is here. */
export type FullNode<V> = LeafNode<V> | BranchNode<V>

/** Any node of a table's trie. */
export type TrieNode<V> = FullNode<V> | StubNode

/** Where a key lives: SHA-256 of its UTF-8 bytes. */
export const hashOfKey = (key: string): Uint8Array => sha256(utf8(key))

/** A leaf that no store holds yet. */
export const newLeaf = <V>(keyHash: Uint8Array, key: string, bytes: Uint8Array): LeafNode<V> => ({
  kind: 'leaf',
  hash: undefined,
  filed: undefined,
  keyHash,
  key,
  bytes,
  value: undefined,
})

/** A branch that no store holds yet. */
export const newBranch = <V>(
  bitmap: number,
  children: TrieNode<V>[],
  count: number,
): BranchNode<V> => ({
  kind: 'branch',
  hash: undefined,
  filed: undefined,
  bitmap,
  children,
  count,
})

/** Digit `depth` of a key's hash, 0 to 15. */
export function digitAt(keyHash: Uint8Array, depth: number): number {
  assert(depth < maxDepth, 'two keys with one hash')
  const byte = keyHash[depth >> 1] as number
  return depth % 2 === 0 ? byte >> 4 : byte & 15
}

/** How many bits of a 16-bit map are set: counted in pairs, in fours, in bytes, in all. */
export function countBits(bitmap: number): number {
  const pairs = bitmap - ((bitmap >> 1) & 0x5555)
  const fours = (pairs & 0x3333) + ((pairs >> 2) & 0x3333)
  const bytes = (fours + (fours >> 4)) & 0x0f0f
  return (bytes + (bytes >> 8)) & 0x1f
}

/** Whether a branch has a child for this digit. */
export const hasDigit = (bitmap: number, digit: number): boolean => (bitmap & (1 << digit)) !== 0

/** The place among a branch's children of the child for this digit. */
export const slotOf = (bitmap: number, digit: number): number =>
  countBits(bitmap & ((1 << digit) - 1))

/** Number of entries at and below a node. */
export const countOf = <V>(node: FullNode<V>): number => (node.kind === 'leaf' ? 1 : node.count)

/** The node's SHA-256, computed once. */
export function nodeHash<V>(node: TrieNode<V>): Uint8Array {
  if (node.kind === 'stub') return node.hash
  node.hash ??=
    node.kind === 'leaf'
      ? leafNodeHash(node.keyHash, sha256(node.bytes))
      : branchNodeHash(node.bitmap, node.count, node.children.map(nodeHash))
  return node.hash
}

/** SHA-256 of 0 ‖ hash of the key ‖ SHA-256 of the value's bytes. */
export function leafNodeHash(keyHash: Uint8Array, valueHash: Uint8Array): Uint8Array {
  leafScratch[0] = leafTagByte
  leafScratch.set(keyHash, 1)
  leafScratch.set(valueHash, 33)
  return sha256(leafScratch)
}

/** SHA-256 of 1 ‖ bitmap (2 bytes) ‖ count (6 bytes) ‖ the children's hashes. */
export function branchNodeHash(
  bitmap: number,
  count: number,
  childHashes: readonly Uint8Array[],
): Uint8Array {
  writeBranch(branchScratch, bitmap, count, childHashes)
  return sha256(branchScratch.subarray(0, branchHeadBytes + 32 * childHashes.length))
}

/** Writes what a branch's hash is taken of to the beginning of `bytes`. */
export function writeBranch(
  bytes: Uint8Array,
  bitmap: number,
  count: number,
  childHashes: readonly Uint8Array[],
): void {
  bytes[0] = branchTagByte
  bytes[1] = bitmap >> 8
  bytes[2] = bitmap & 255
  writeUint48(bytes, 3, count)
  for (let i = 0; i < childHashes.length; i++)
    bytes.set(childHashes[i] as Uint8Array, branchHeadBytes + 32 * i)
}

/** The first bytes of a branch wherever it is written: 1 ‖ bitmap (2 bytes) ‖ count (6 bytes). */
export function branchHead(bitmap: number, count: number): Uint8Array {
  const head = new Uint8Array(branchHeadBytes)
  writeBranch(head, bitmap, count, [])
  return head
}

/** Length of `branchHead`. */
export const branchHeadBytes = 9

/** First byte of a leaf and of a branch: no leaf can pass for a branch. */
export const leafTagByte = 0
export const branchTagByte = 1

/** Where one node after the other is written to be hashed: a block makes thousands. */
const leafScratch = new Uint8Array(65)
const branchScratch = new Uint8Array(branchHeadBytes + 32 * radix)

/** Writes a count or id as 6 big-endian bytes. */
export function writeUint48(bytes: Uint8Array, offset: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0 && value < 2 ** 48, 'a count below 2^48')
  let rest = value
  for (let i = offset + 5; i >= offset; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/** The count or id at an offset; a defect when there are fewer than 6 bytes. */
export function readUint48(bytes: Uint8Array, offset: number): number {
  let value = 0
  for (let i = offset; i < offset + 6; i++) value = value * 256 + (bytes[i] as number)
  return value
}
