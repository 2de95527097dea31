import { decodeRlp, equalBytes, keccak256, type RlpItem } from '#primitives'

/**
 * The value that a Merkle-Patricia proof shows for a key, or undefined when the proof does not show
 * one. Absence is not proven by this.
 *
 * @param root - keccak-256 of the root node, 32 bytes.
 * @param nodes - RLP of the nodes on the path, root first; nodes below 32 bytes stand in their
 *   parent and not in the list. All must be used.
 * @see Ethereum yellow paper, appendix D
 * @throws RlpError when a node is no RLP.
 */
export function trieValue(
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
): Uint8Array | undefined {
  const path = nibblesOf(key)
  let reference: RlpItem = root
  let depth = 0
  let used = 0
  for (;;) {
    const node = resolve(reference, nodes[used])
    if (!node) return undefined
    if (reference instanceof Uint8Array) used++
    const step = follow(node, path.slice(depth))
    if (!step) return undefined
    depth += step.taken
    if (step.isValue) return used === nodes.length ? bytesOrNothing(step.next) : undefined
    reference = step.next
  }
}

/** One node's step: nibbles that it takes, and the child or value that it leads to. */
type Step = { readonly taken: number; readonly next: RlpItem; readonly isValue: boolean }

/** A node by its hash, or one embedded in its parent. */
function resolve(
  reference: RlpItem,
  encoded: Uint8Array | undefined,
): readonly RlpItem[] | undefined {
  if (!(reference instanceof Uint8Array)) return reference
  if (!encoded || !equalBytes(keccak256(encoded), reference)) return undefined
  const node = decodeRlp(encoded)
  return node instanceof Uint8Array ? undefined : node
}

function follow(node: readonly RlpItem[], path: readonly number[]): Step | undefined {
  if (node.length === 17) return followBranch(node, path)
  const [prefix, next] = node
  if (node.length !== 2 || !(prefix instanceof Uint8Array) || next === undefined) return undefined
  const nibbles = nibblesOf(prefix)
  const flag = nibbles[0] ?? 0
  const part = nibbles.slice(flag % 2 === 1 ? 1 : 2)
  if (flag > 3 || part.some((nibble, i) => nibble !== path[i])) return undefined
  const isLeaf = flag >= 2
  if (isLeaf && part.length !== path.length) return undefined
  if (!isLeaf && part.length === 0) return undefined
  return { taken: part.length, next, isValue: isLeaf }
}

function followBranch(node: readonly RlpItem[], path: readonly number[]): Step | undefined {
  const [nibble] = path
  const next = node[nibble ?? 16]
  return next === undefined
    ? undefined
    : { taken: nibble === undefined ? 0 : 1, next, isValue: nibble === undefined }
}

const bytesOrNothing = (item: RlpItem): Uint8Array | undefined =>
  item instanceof Uint8Array && item.length > 0 ? item : undefined

const nibblesOf = (bytes: Uint8Array): number[] =>
  [...bytes].flatMap((byte) => [byte >> 4, byte & 15])
