import { equalBytes, fromUtf8, utf8 } from './bytes.ts'
import { assert, DomainError } from './errors.ts'
import { sha256 } from './hashes.ts'
import {
  type BranchNode,
  branchHeadBytes,
  branchTagByte,
  countBits,
  type FullNode,
  type LeafNode,
  leafNodeHash,
  leafTagByte,
  type NodeReader,
  newBranch,
  newLeaf,
  nodeHash,
  readUint48,
  type StubNode,
  type TrieNode,
  writeBranch,
  writeUint48,
} from './table-node.ts'

const hashBytes = 32
const idBytes = 6
const keyLengthBytes = 6

/**
 * The row of a node. Leaf: 0 ‖ key length (6 bytes) ‖ key ‖ value. Branch: 1 ‖ bitmap (2) ‖ count
 * (6) ‖ hash (32) of each child ‖ id (6) of each child: its hash is that of its row without ids.
 *
 * @param childIds - ids of a branch's children in their order; none for a leaf.
 */
export function encodeRow<V>(node: FullNode<V>, childIds: readonly number[]): Uint8Array {
  if (node.kind === 'leaf') return encodeLeaf(utf8(node.key), node.bytes)
  const { bitmap, children, count } = node
  assert(childIds.length === children.length, 'an id for each child')
  const idsAt = branchHeadBytes + hashBytes * children.length
  const row = new Uint8Array(idsAt + idBytes * children.length)
  writeBranch(row, bitmap, count, children.map(nodeHash))
  for (let i = 0; i < children.length; i++)
    writeUint48(row, idsAt + idBytes * i, childIds[i] as number)
  return row
}

function encodeLeaf(key: Uint8Array, value: Uint8Array): Uint8Array {
  const keyStart = 1 + keyLengthBytes
  const row = new Uint8Array(keyStart + key.length + value.length)
  row[0] = leafTagByte
  writeUint48(row, 1, key.length)
  row.set(key, keyStart)
  row.set(value, keyStart + key.length)
  return row
}

/**
 * Reads a node and checks it against the hash that its parent holds.
 *
 * @throws CorruptNodeError when the row is missing, malformed or of another hash.
 */
export function readNode<V>({ reader, id, hash }: StubNode): FullNode<V> {
  const row = reader(id)
  if (row === undefined) throw corrupt(reader, id, 'no such row')
  const node = decodeRow<V>(row, reader, id)
  if (!equalBytes(node.hash as Uint8Array, hash))
    throw corrupt(reader, id, 'the hash is not the one that the parent holds')
  node.filed = { reader, id, next: undefined }
  return node
}

/** A branch's child, read from its store at the first time and kept. */
export function childAt<V>(branch: BranchNode<V>, slot: number): FullNode<V> {
  const child = branch.children[slot] as TrieNode<V>
  if (child.kind !== 'stub') return child
  const node = readNode<V>(child)
  branch.children[slot] = node
  return node
}

function decodeRow<V>(row: Uint8Array, reader: NodeReader, id: number): FullNode<V> {
  if (row[0] === leafTagByte) return decodeLeaf(row, reader, id)
  if (row[0] === branchTagByte) return decodeBranch(row, reader, id)
  throw corrupt(reader, id, 'neither a leaf nor a branch')
}

function decodeLeaf<V>(row: Uint8Array, reader: NodeReader, id: number): LeafNode<V> {
  const keyStart = 1 + keyLengthBytes
  const keyEnd = keyStart + (row.length < keyStart ? 0 : readUint48(row, 1))
  if (keyEnd > row.length) throw corrupt(reader, id, 'a leaf cut short')
  const key = row.subarray(keyStart, keyEnd)
  const bytes = row.subarray(keyEnd)
  const keyHash = sha256(key)
  const leaf = newLeaf<V>(keyHash, textOfKey(key, reader, id), bytes)
  leaf.hash = leafNodeHash(keyHash, sha256(bytes))
  return leaf
}

function textOfKey(key: Uint8Array, reader: NodeReader, id: number): string {
  try {
    return fromUtf8(key)
  } catch (cause) {
    throw corrupt(reader, id, 'a key that is not UTF-8', cause)
  }
}

function decodeBranch<V>(row: Uint8Array, reader: NodeReader, id: number): BranchNode<V> {
  const bitmap = ((row[1] as number) << 8) | (row[2] as number)
  const width = countBits(bitmap)
  const idsAt = branchHeadBytes + hashBytes * width
  if (row.length !== idsAt + idBytes * width)
    throw corrupt(reader, id, 'a branch of another length')
  const children: StubNode[] = []
  for (let i = 0; i < width; i++) {
    const hashAt = branchHeadBytes + hashBytes * i
    children.push({
      kind: 'stub',
      reader,
      id: readUint48(row, idsAt + idBytes * i),
      hash: row.subarray(hashAt, hashAt + hashBytes),
    })
  }
  const branch = newBranch<V>(bitmap, children, readUint48(row, 3))
  branch.hash = sha256(row.subarray(0, idsAt))
  return branch
}

/** What is wrong with a row, in which file, and what helps. */
export function corrupt(
  { origin }: NodeReader,
  id: number,
  fault: string,
  cause?: unknown,
): CorruptNodeError {
  const message = `node ${id}: ${fault}`
  if (origin === undefined) return new CorruptNodeError(message, { id, file: undefined }, cause)
  const { file, remedy } = origin
  return new CorruptNodeError(`${file}: ${message}; ${remedy}`, { id, file }, cause)
}

/**
 * A stored node that is missing or not what its parent says: the store is damaged or incomplete.
 */
export class CorruptNodeError extends DomainError<
  'CorruptNode',
  { id: number; file: string | undefined }
> {
  override readonly code = 'CorruptNode'
}
