import { concatBytes, equalBytes } from './bytes.ts'
import { sha256 } from './hashes.ts'
import { childAt } from './table-codec.ts'
import {
  branchHead,
  branchHeadBytes,
  branchNodeHash,
  branchTagByte,
  countBits,
  digitAt,
  emptyRoot,
  type FullNode,
  hasDigit,
  hashOfKey,
  leafNodeHash,
  maxDepth,
  nodeHash,
  readUint48,
  slotOf,
} from './table-node.ts'

/** How a proof ends: at the key's own leaf, at another key's leaf, or where no node is. */
const ownLeaf = 0
const otherLeaf = 2
const nothing = 3

/** The proof of a table's trie; see `Table.prove`. */
export function proveKey<V>(root: FullNode<V> | undefined, key: string): Uint8Array {
  const keyHash = hashOfKey(key)
  const parts: Uint8Array[] = []
  let node = root
  for (let depth = 0; node !== undefined && node.kind === 'branch'; depth++) {
    const { bitmap, count } = node
    const digit = digitAt(keyHash, depth)
    const slot = hasDigit(bitmap, digit) ? slotOf(bitmap, digit) : -1
    const siblings = node.children.filter((_, at) => at !== slot).map(nodeHash)
    parts.push(branchHead(bitmap, count), ...siblings)
    node = slot < 0 ? undefined : childAt(node, slot)
  }
  if (node === undefined) return concatBytes(...parts, new Uint8Array([nothing]))
  if (equalBytes(node.keyHash, keyHash)) return concatBytes(...parts, new Uint8Array([ownLeaf]))
  return concatBytes(...parts, new Uint8Array([otherLeaf]), node.keyHash, sha256(node.bytes))
}

/**
 * Whether a table with this root maps the key to these bytes, or has no such key.
 *
 * @param root - 32 bytes, as `Table.root` gives it.
 * @param valueBytes - the encoded value, or undefined for the claim that the key is absent.
 * @param proof - bytes from anyone; anything malformed is false, never an error.
 */
export function verifyTableProof(
  root: Uint8Array,
  key: string,
  valueBytes: Uint8Array | undefined,
  proof: Uint8Array,
): boolean {
  const keyHash = hashOfKey(key)
  const path = readPath(keyHash, proof)
  if (path === undefined) return false
  const end = endHash(keyHash, valueBytes, proof.subarray(path.length), path.steps.at(-1))
  if (end === undefined) return false
  return equalBytes(path.steps.reduceRight(hashOfStep, end), root)
}

/** One branch on the way to the key: `slot` is where the next node's hash belongs, or -1. */
type Step = {
  readonly bitmap: number
  readonly count: number
  readonly slot: number
  readonly siblings: readonly Uint8Array[]
}

function readPath(
  keyHash: Uint8Array,
  proof: Uint8Array,
): { readonly steps: readonly Step[]; readonly length: number } | undefined {
  const steps: Step[] = []
  let length = 0
  while (proof[length] === branchTagByte) {
    if (steps.length === maxDepth || proof.length < length + branchHeadBytes) return undefined
    if (steps.at(-1)?.slot === -1) return undefined
    const step = readStep(digitAt(keyHash, steps.length), proof, length)
    if (step === undefined) return undefined
    steps.push(step)
    length += branchHeadBytes + 32 * step.siblings.length
  }
  return { steps, length }
}

function readStep(digit: number, proof: Uint8Array, offset: number): Step | undefined {
  const bitmap = ((proof[offset + 1] as number) << 8) | (proof[offset + 2] as number)
  const slot = hasDigit(bitmap, digit) ? slotOf(bitmap, digit) : -1
  const siblingCount = countBits(bitmap) - (slot < 0 ? 0 : 1)
  const start = offset + branchHeadBytes
  if (proof.length < start + 32 * siblingCount) return undefined
  const siblings = Array.from({ length: siblingCount }, (_, i) =>
    proof.subarray(start + 32 * i, start + 32 * (i + 1)),
  )
  return { bitmap, count: readUint48(proof, offset + 3), slot, siblings }
}

/** Hash of what the path leads to; undefined when it does not show what is claimed. */
function endHash(
  keyHash: Uint8Array,
  valueBytes: Uint8Array | undefined,
  end: Uint8Array,
  last: Step | undefined,
): Uint8Array | undefined {
  const leadsNowhere = last === undefined || last.slot === -1
  if (end.length === 1 && end[0] === nothing)
    return valueBytes === undefined && leadsNowhere ? emptyRoot : undefined
  if (last !== undefined && leadsNowhere) return undefined
  if (end.length === 1 && end[0] === ownLeaf)
    return valueBytes === undefined ? undefined : leafNodeHash(keyHash, sha256(valueBytes))
  if (end.length !== 65 || end[0] !== otherLeaf || valueBytes !== undefined) return undefined
  const otherKeyHash = end.subarray(1, 33)
  return equalBytes(otherKeyHash, keyHash)
    ? undefined
    : leafNodeHash(otherKeyHash, end.subarray(33))
}

function hashOfStep(below: Uint8Array, { bitmap, count, slot, siblings }: Step): Uint8Array {
  return branchNodeHash(bitmap, count, slot < 0 ? siblings : siblings.toSpliced(slot, 0, below))
}
