import { fromHex, type Hex, toHex } from './bytes.ts'
import { assert } from './errors.ts'
import { keccak256, keccak256Hex } from './hashes.ts'

/**
 * An append-only Merkle tree of which only the peaks are kept: the roots of the perfect subtrees
 * that its size is the sum of, largest first. Shape of RFC 9162 §2.1.1; inner nodes are
 * keccak256(left ‖ right); leaves are hashes already (of more than 64 bytes, so that no inner node
 * passes for a leaf).
 */
export type Range = { readonly size: number; readonly peaks: readonly Hex[] }

/** A range without leaves. */
export const emptyRange: Range = { size: 0, peaks: [] }

/** The root of a range without leaves: 32 zero bytes. */
export const emptyRangeRoot: Hex = `0x${'00'.repeat(32)}`

/** The range with one more leaf at its end. At most one hash per bit of the size. */
export function appendLeaf(range: Range, leafHash: Hex): Range {
  const peaks = [...range.peaks]
  let last = leafHash
  for (let rest = range.size; rest % 2 === 1; rest = Math.floor(rest / 2))
    last = hashPair(peaks.pop() as Hex, last)
  return { size: range.size + 1, peaks: [...peaks, last] }
}

/** The root of the tree over all leaves: the peaks joined from right to left. */
export function rangeRoot({ peaks }: Range): Hex {
  if (peaks.length === 0) return emptyRangeRoot
  return peaks.reduceRight((right, left) => hashPair(left, right))
}

/**
 * Whether the leaf is the one at `index` in the tree of `size` leaves with this root.
 *
 * @param siblings - bottom-up, as `RangeIndex.prove` gives them; anything malformed is false.
 * @see RFC 9162 §2.1.3.2
 */
export function verifyInclusion(
  root: Hex,
  size: number,
  index: number,
  leafHash: Hex,
  siblings: readonly Hex[],
): boolean {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index)) return false
  if (index < 0 || index >= size || ![leafHash, ...siblings].every(isHash)) return false
  let at = index
  let last = size - 1
  let hash = leafHash
  for (const sibling of siblings) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      hash = hashPair(sibling, hash)
      // The last node of a level without a right sibling is its own parent: go up to where it has
      // one.
      for (; at % 2 === 0 && at !== 0; at = half(at)) last = half(last)
    } else hash = hashPair(hash, sibling)
    at = half(at)
    last = half(last)
  }
  return last === 0 && hash === root
}

/** Where a range keeps its complete nodes, 32 bytes each; leaves are level 0. */
export type RangeNodes = {
  /** A node that was put and not dropped. */
  get(level: number, at: number): Uint8Array
  put(level: number, at: number, node: Uint8Array): void
  drop(level: number, at: number): void
}

/**
 * All nodes of a growing range, to prove any leaf against the root at any size it has had. Two
 * nodes a leaf; roots and proofs cost O(log n).
 */
export class RangeIndex {
  #size: number
  readonly #nodes: RangeNodes

  /**
   * @param nodes - in memory when absent.
   * @param size - of a range whose nodes were kept.
   */
  constructor(nodes: RangeNodes = memoryNodes(), size = 0) {
    this.#nodes = nodes
    this.#size = size
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size
  }

  /** Adds a leaf at the end. */
  append(leafHash: Hex): void {
    let at = this.#size
    let node = fromHex(leafHash, 32)
    this.#nodes.put(0, at, node)
    for (let level = 0; at % 2 === 1; level++) {
      node = keccak256(this.#nodes.get(level, at - 1), node)
      at = half(at)
      this.#nodes.put(level + 1, at, node)
    }
    this.#size++
  }

  /**
   * Drops what only proofs of this leaf and those before it need; to be called for leaf after leaf,
   * from the first.
   */
  forget(index: number): void {
    for (let level = 0, at = index; at % 2 === 1; level++, at = half(at)) {
      this.#nodes.drop(level, at - 1)
      this.#nodes.drop(level, at)
    }
  }

  /** The leaf at an index; a defect when there is none. */
  leaf(index: number): Hex {
    assert(Number.isSafeInteger(index) && index >= 0 && index < this.#size, 'index of a leaf')
    return toHex(this.#nodes.get(0, index))
  }

  /** The root over the first `size` leaves; a defect when there are fewer. */
  root(size: number): Hex {
    assert(Number.isSafeInteger(size) && size >= 0 && size <= this.#size, 'a size that has been')
    let rest: Uint8Array | undefined
    let level = 0
    for (let count = size; count > 0; count = half(count)) rest = this.#join(level++, count, rest)
    return rest === undefined ? emptyRangeRoot : toHex(rest)
  }

  /**
   * Siblings of the leaf at `index` in the tree over the first `size` leaves, bottom-up; a defect
   * when there is no such leaf.
   *
   * @see RFC 9162 §2.1.3.1
   */
  prove(index: number, size: number): Hex[] {
    assert(Number.isSafeInteger(size) && size <= this.#size, 'a size that has been')
    assert(Number.isSafeInteger(index) && index >= 0 && index < size, 'index of a leaf')
    const siblings: Hex[] = []
    let at = index
    let rest: Uint8Array | undefined
    let level = 0
    for (let count = size; count > 0; count = half(count)) {
      const sibling = at % 2 === 0 ? at + 1 : at - 1
      if (sibling < count) siblings.push(toHex(this.#nodes.get(level, sibling)))
      else if (sibling === count && rest !== undefined) siblings.push(toHex(rest))
      rest = this.#join(level++, count, rest)
      at = half(at)
    }
    return siblings
  }

  /**
   * The hash of what the complete nodes of the next level leave out.
   *
   * @param count - number of complete nodes at this level.
   * @param rest - the same hash for this level.
   */
  #join(level: number, count: number, rest: Uint8Array | undefined): Uint8Array | undefined {
    if (count % 2 === 0) return rest
    const last = this.#nodes.get(level, count - 1)
    return rest === undefined ? last : keccak256(last, rest)
  }
}

/** Nodes in memory: a level is one array, which doubles as it grows; what is dropped stays. */
function memoryNodes(): RangeNodes {
  const levels: Uint8Array[] = []
  return {
    get: (level, at) => (levels[level] as Uint8Array).subarray(32 * at, 32 * (at + 1)),
    put(level, at, node) {
      let nodes = levels[level] ?? new Uint8Array(0)
      if (nodes.length < 32 * (at + 1)) {
        const grown = new Uint8Array(Math.max(1024, 2 * nodes.length))
        grown.set(nodes)
        nodes = grown
      }
      nodes.set(node, 32 * at)
      levels[level] = nodes
    },
    drop: () => {},
  }
}

const half = (value: number): number => Math.floor(value / 2)

const hashPair = (left: Hex, right: Hex): Hex => keccak256Hex(fromHex(left, 32), fromHex(right, 32))

const isHash = (text: string): boolean => /^0x[0-9a-f]{64}$/.test(text)
