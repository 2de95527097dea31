import {
  assert,
  DomainError,
  decodeRlp,
  type Hex,
  keccak256,
  type RlpItem,
  rlpBytes,
  rlpInteger,
  rlpList,
  toHex,
} from '#primitives'

/**
 * A hexary Merkle-Patricia trie (yellow paper, appendix D) as an immutable value: updates share
 * structure, a node is encoded and hashed once, on demand, and stored nodes load when visited. No
 * key may be a prefix of another, which holds for hashed keys and for RLP indices.
 */
export type Trie = TrieNode | undefined

type TrieNode = LeafNode | ExtensionNode | BranchNode | StoredNode

/** `reference` is what a parent embeds: RLP of the hash, or the node itself when under 32 bytes. */
type Memo = { reference?: Uint8Array }
type LeafNode = Memo & { kind: 'leaf'; path: Uint8Array; value: Uint8Array }
type ExtensionNode = Memo & { kind: 'extension'; path: Uint8Array; child: TrieNode }
type BranchNode = Memo & { kind: 'branch'; children: readonly Trie[] }
type StoredNode = { kind: 'stored'; hash: Uint8Array; loaded?: TrieNode }

/** Encoded node of a hash; undefined when there is none. */
export type NodeSource = (hash: Uint8Array) => Uint8Array | undefined
/** Receives every node that was hashed for the first time. */
export type NodeSink = (hash: Uint8Array, encoded: Uint8Array) => void

/** Root of the trie without keys: keccak-256 of the RLP of an empty string. */
export const emptyTrieRoot: Uint8Array = keccak256(Uint8Array.of(0x80))
const emptyItem = Uint8Array.of(0x80)

/** The trie of a root, its nodes to be loaded when they are visited. */
export const trieOf = (root: Uint8Array): Trie =>
  sameBytes(root, emptyTrieRoot, 0) ? undefined : { kind: 'stored', hash: root }

/** The value under a key, or undefined. @throws MissingNodeError when the source lacks a node. */
export function trieGet(trie: Trie, key: Uint8Array, source: NodeSource): Uint8Array | undefined {
  const path = toNibbles(key)
  let node = trie
  let at = 0
  while (node) {
    const here: LoadedNode = load(node, source)
    if (here.kind === 'branch') {
      node = here.children[path[at] as number]
      at++
      continue
    }
    if (!sameBytes(here.path, path, at)) return undefined
    at += here.path.length
    if (here.kind === 'leaf') return at === path.length ? here.value : undefined
    node = here.child
  }
  return undefined
}

/** The trie with `value` (not empty) under `key`. */
export function triePut(trie: Trie, key: Uint8Array, value: Uint8Array, source: NodeSource): Trie {
  assert(value.length > 0, 'a trie holds no empty values')
  return put(trie, toNibbles(key), 0, value, source)
}

/** The trie without `key`. */
export const trieDelete = (trie: Trie, key: Uint8Array, source: NodeSource): Trie =>
  remove(trie, toNibbles(key), 0, source)

/** Root hash; nodes not hashed before go to `sink`. */
export function trieRoot(trie: Trie, sink: NodeSink = () => {}): Uint8Array {
  if (!trie) return emptyTrieRoot
  if (trie.kind === 'stored') return trie.hash
  const reference = referenceOf(trie, sink)
  if (reference.length === 33) return reference.subarray(1)
  const hash = keccak256(reference) // a root under 32 bytes is its own reference
  sink(hash, reference)
  return hash
}

/**
 * The nodes from the root to `key`, encoded, in that order, as a verifier with only the root hash
 * needs them: nodes under 32 bytes stand inside their parents. For a trie that is all in memory.
 */
export function trieProof(trie: Trie, key: Uint8Array): Uint8Array[] {
  const path = toNibbles(key)
  const proof: Uint8Array[] = []
  let node = trie
  let at = 0
  while (node) {
    const here: LoadedNode = load(node, noNodes)
    const encoded = encodeNode(here, () => {})
    if (encoded.length >= 32 || at === 0) proof.push(encoded)
    if (here.kind === 'leaf' || (here.kind === 'extension' && !sameBytes(here.path, path, at)))
      return proof
    node = here.kind === 'branch' ? here.children[path[at] as number] : here.child
    at += here.kind === 'branch' ? 1 : here.path.length
  }
  return proof
}

/**
 * What an encoded node leads to, in the order of their keys: hashes of nodes, and values of leaves.
 */
export function trieLinks(encoded: Uint8Array): {
  readonly nodes: readonly Uint8Array[]
  readonly values: readonly Uint8Array[]
} {
  const nodes: Uint8Array[] = []
  const values: Uint8Array[] = []
  const open: Trie[] = [decodeNode(decodeRlp(encoded))]
  for (let node = open.pop(); open.length > 0 || node; node = open.pop()) {
    if (node?.kind === 'stored') nodes.push(node.hash)
    else if (node?.kind === 'leaf') values.push(node.value)
    else if (node?.kind === 'extension') open.push(node.child)
    else if (node) open.push(...node.children.toReversed())
  }
  return { nodes, values }
}

/** Root of the trie that maps RLP(index) to each value: transactions, receipts, withdrawals. */
export const indexedRoot = (values: readonly Uint8Array[]): Uint8Array =>
  trieRoot(indexedTrie(values))

/** Proof of the value at `index` under `indexedRoot(values)`; the key is RLP(index). */
export const indexedProof = (values: readonly Uint8Array[], index: number): Uint8Array[] =>
  trieProof(indexedTrie(values), rlpInteger(index))

function indexedTrie(values: readonly Uint8Array[]): Trie {
  let trie: Trie
  values.forEach((value, index) => {
    trie = triePut(trie, rlpInteger(index), value, noNodes)
  })
  return trie
}

const noNodes: NodeSource = () => undefined

type LoadedNode = LeafNode | ExtensionNode | BranchNode

function load(node: TrieNode, source: NodeSource): LoadedNode {
  if (node.kind !== 'stored') return node
  if (!node.loaded) {
    const encoded = source(node.hash)
    if (!encoded) throw new MissingNodeError('no such trie node', { hash: toHex(node.hash) })
    node.loaded = decodeNode(decodeRlp(encoded))
    if (node.loaded.kind !== 'stored') node.loaded.reference = hashItem(node.hash)
  }
  return node.loaded as LoadedNode
}

function put(
  node: Trie,
  path: Uint8Array,
  at: number,
  value: Uint8Array,
  source: NodeSource,
): TrieNode {
  if (!node) return { kind: 'leaf', path: path.subarray(at), value }
  const here = load(node, source)
  if (here.kind === 'branch') {
    const slot = path[at] as number
    const children = here.children.slice()
    children[slot] = put(here.children[slot], path, at + 1, value, source)
    return { kind: 'branch', children }
  }
  const shared = sharedLength(here.path, path, at)
  if (shared === here.path.length) {
    if (here.kind === 'leaf') return { kind: 'leaf', path: here.path, value }
    const child = put(here.child, path, at + shared, value, source)
    return { kind: 'extension', path: here.path, child }
  }
  return fork(here, shared, path, at, value)
}

/** A branch where the path of a leaf or extension and the new key part. */
function fork(
  here: LeafNode | ExtensionNode,
  shared: number,
  path: Uint8Array,
  at: number,
  value: Uint8Array,
): TrieNode {
  assert(at + shared < path.length, 'no key is a prefix of another')
  const children: Trie[] = new Array(16).fill(undefined)
  const rest = here.path.subarray(shared + 1)
  children[here.path[shared] as number] =
    here.kind === 'leaf'
      ? { kind: 'leaf', path: rest, value: here.value }
      : extend(rest, here.child)
  const leaf: LeafNode = { kind: 'leaf', path: path.subarray(at + shared + 1), value }
  children[path[at + shared] as number] = leaf
  return extend(here.path.subarray(0, shared), { kind: 'branch', children })
}

const extend = (path: Uint8Array, child: TrieNode): TrieNode =>
  path.length === 0 ? child : { kind: 'extension', path, child }

function remove(node: Trie, path: Uint8Array, at: number, source: NodeSource): Trie {
  if (!node) return undefined
  const here = load(node, source)
  if (here.kind === 'leaf')
    return at + here.path.length === path.length && sameBytes(here.path, path, at)
      ? undefined
      : node
  if (here.kind === 'extension') {
    if (!sameBytes(here.path, path, at)) return node
    const child = remove(here.child, path, at + here.path.length, source)
    return child === here.child ? node : child && join(here.path, child, source)
  }
  const slot = path[at] as number
  const child = remove(here.children[slot], path, at + 1, source)
  if (child === here.children[slot]) return node
  const children = here.children.slice()
  children[slot] = child
  return shrink(children, source)
}

/** A branch with one child left becomes part of that child's path. */
function shrink(children: readonly Trie[], source: NodeSource): Trie {
  const used = children.flatMap((child, slot) => (child ? [slot] : []))
  const [only] = used
  if (used.length !== 1 || only === undefined) return { kind: 'branch', children }
  return join(Uint8Array.of(only), children[only] as TrieNode, source)
}

/** The node that leads along `prefix` to `child`. */
function join(prefix: Uint8Array, child: TrieNode, source: NodeSource): TrieNode {
  const here = load(child, source)
  if (here.kind === 'branch') return { kind: 'extension', path: prefix, child }
  const path = new Uint8Array(prefix.length + here.path.length)
  path.set(prefix)
  path.set(here.path, prefix.length)
  return here.kind === 'leaf'
    ? { kind: 'leaf', path, value: here.value }
    : { kind: 'extension', path, child: here.child }
}

function referenceOf(node: TrieNode, sink: NodeSink): Uint8Array {
  if (node.kind === 'stored') return hashItem(node.hash)
  if (node.reference) return node.reference
  const encoded = encodeNode(node, sink)
  if (encoded.length < 32) {
    node.reference = encoded
  } else {
    const hash = keccak256(encoded)
    sink(hash, encoded)
    node.reference = hashItem(hash)
  }
  return node.reference
}

function hashItem(hash: Uint8Array): Uint8Array {
  const item = new Uint8Array(33)
  item[0] = 0xa0
  item.set(hash, 1)
  return item
}

function encodeNode(node: LoadedNode, sink: NodeSink): Uint8Array {
  if (node.kind === 'leaf')
    return rlpList([rlpBytes(packPath(node.path, true)), rlpBytes(node.value)])
  if (node.kind === 'extension')
    return rlpList([rlpBytes(packPath(node.path, false)), referenceOf(node.child, sink)])
  const items = node.children.map((child) => (child ? referenceOf(child, sink) : emptyItem))
  return rlpList([...items, emptyItem])
}

function decodeNode(item: RlpItem): TrieNode {
  assert(!(item instanceof Uint8Array), 'stored trie node is a list')
  if (item.length === 17)
    return { kind: 'branch', children: item.slice(0, 16).map(decodeReference) }
  const [packed, second] = item
  assert(packed instanceof Uint8Array && second !== undefined, 'stored trie node of two items')
  const { path, isLeaf } = unpackPath(packed)
  if (!isLeaf) return { kind: 'extension', path, child: decodeReference(second) as TrieNode }
  assert(second instanceof Uint8Array, 'stored leaf with a value')
  return { kind: 'leaf', path, value: second }
}

function decodeReference(item: RlpItem): Trie {
  if (!(item instanceof Uint8Array)) return decodeNode(item)
  return item.length === 0 ? undefined : { kind: 'stored', hash: item }
}

/** Hex-prefix encoding: two nibbles a byte, a flag nibble first (yellow paper, appendix C). */
function packPath(path: Uint8Array, isLeaf: boolean): Uint8Array {
  const odd = path.length % 2
  const packed = new Uint8Array(1 + (path.length - odd) / 2)
  packed[0] = (isLeaf ? 0x20 : 0) + (odd ? 0x10 + (path[0] as number) : 0)
  for (let i = odd, to = 1; i < path.length; i += 2, to++)
    packed[to] = (path[i] as number) * 16 + (path[i + 1] as number)
  return packed
}

function unpackPath(packed: Uint8Array): { path: Uint8Array; isLeaf: boolean } {
  const flag = packed[0] as number
  const nibbles = toNibbles(packed)
  return { path: nibbles.subarray((flag & 0x10) === 0 ? 2 : 1), isLeaf: (flag & 0x20) !== 0 }
}

function toNibbles(bytes: Uint8Array): Uint8Array {
  const nibbles = new Uint8Array(bytes.length * 2)
  for (let i = 0; i < bytes.length; i++) {
    nibbles[2 * i] = (bytes[i] as number) >> 4
    nibbles[2 * i + 1] = (bytes[i] as number) & 0xf
  }
  return nibbles
}

/** Whether `part` stands in `whole` at `at`. */
const sameBytes = (part: Uint8Array, whole: Uint8Array, at: number): boolean =>
  sharedLength(part, whole, at) === part.length

function sharedLength(part: Uint8Array, whole: Uint8Array, at: number): number {
  let i = 0
  while (i < part.length && part[i] === whole[at + i]) i++
  return i
}

/** The store lacks a node that a stored root refers to: it is damaged. */
export class MissingNodeError extends DomainError<'MissingTrieNode', { hash: Hex }> {
  override readonly code = 'MissingTrieNode'
}
