import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  appendLeaf,
  emptyRange,
  fromHex,
  type Hex,
  keccak256Hex,
  type Range,
  RangeIndex,
  rangeRoot,
  utf8,
  verifyInclusion,
} from './index.ts'

const leaves = Array.from({ length: 71 }, (_, i) => keccak256Hex(utf8(`leaf ${i}`)))
const hashPair = (left: Hex, right: Hex): Hex => keccak256Hex(fromHex(left), fromHex(right))

/** The largest power of two below n. */
const splitOf = (n: number): number => {
  let split = 1
  while (2 * split < n) split *= 2
  return split
}

/** MTH of RFC 9162 §2.1.1, as it is written there; remembered, since keccak is slow. */
const treeHash = (of: readonly Hex[]): Hex => {
  if (of.length === 1) return of[0] as Hex
  const name = `${of[0]} ${of.length}`
  const split = splitOf(of.length)
  const hash = known.get(name) ?? hashPair(treeHash(of.slice(0, split)), treeHash(of.slice(split)))
  known.set(name, hash)
  return hash
}

const known = new Map<string, Hex>()

/** PATH of RFC 9162 §2.1.3.1, as it is written there. */
const pathOf = (index: number, of: readonly Hex[]): Hex[] => {
  if (of.length === 1) return []
  const split = splitOf(of.length)
  return index < split
    ? [...pathOf(index, of.slice(0, split)), treeHash(of.slice(split))]
    : [...pathOf(index - split, of.slice(split)), treeHash(of.slice(0, split))]
}

const filled = (): RangeIndex => {
  const index = new RangeIndex()
  for (const leaf of leaves) index.append(leaf)
  return index
}

test('range: roots at every size up to 70 are those of RFC 9162', () => {
  let range: Range = emptyRange
  const index = filled()
  assert.equal(rangeRoot(range), `0x${'00'.repeat(32)}`)
  assert.equal(index.root(0), rangeRoot(range))
  for (let size = 1; size <= 70; size++) {
    range = appendLeaf(range, leaves[size - 1] as Hex)
    assert.equal(range.size, size)
    assert.equal(rangeRoot(range), treeHash(leaves.slice(0, size)))
    assert.equal(index.root(size), rangeRoot(range))
  }
})

test('range: appending leaves the old range as it was', () => {
  const three = leaves.slice(0, 3).reduce(appendLeaf, emptyRange)
  const before = structuredClone(three)
  appendLeaf(three, leaves[3] as Hex)
  assert.deepEqual(three, before)
})

test('range: the proof of every leaf at every size up to 70 is that of RFC 9162', () => {
  const index = filled()
  for (let size = 1; size <= 70; size++)
    for (let at = 0; at < size; at++) {
      const siblings = index.prove(at, size)
      assert.deepEqual(siblings, pathOf(at, leaves.slice(0, size)))
      assert(verifyInclusion(index.root(size), size, at, leaves[at] as Hex, siblings))
    }
})

test('range: a proof with any other index, leaf, root or sibling fails', () => {
  const index = filled()
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(69), fc.nat(70), (size, pick, other) => {
      const at = pick % size
      const siblings = index.prove(at, size)
      const leaf = leaves[at] as Hex
      const root = index.root(size)
      if (other !== at) {
        assert(!verifyInclusion(root, size, other, leaf, siblings))
        assert(!verifyInclusion(root, size, at, leaves[other] as Hex, siblings))
      }
      if (other !== size) assert(!verifyInclusion(index.root(other), size, at, leaf, siblings))
      for (let i = 0; i < siblings.length; i++) {
        assert(!verifyInclusion(root, size, at, leaf, siblings.with(i, root)))
        assert(!verifyInclusion(root, size, at, leaf, siblings.toSpliced(i, 1)))
      }
      assert(!verifyInclusion(root, size, at, leaf, [...siblings, root]))
    }),
  )
})

test('range: a proof at another size fails wherever the size changes the path', () => {
  const index = filled()
  for (let size = 1; size <= 20; size++)
    for (let at = 0; at < size; at++) {
      const siblings = index.prove(at, size)
      for (let other = 0; other <= 40; other++) {
        // The path's shape may be the same at two sizes: then the root alone tells them apart.
        const sameShape =
          other > at && shapeOf(at, other) === shapeOf(at, size) && siblings.length > 0
        const holds = verifyInclusion(index.root(size), other, at, leaves[at] as Hex, siblings)
        if (other === size || !sameShape) assert.equal(holds, other === size)
      }
    }
})

/** On which side the siblings are, from the bottom up. */
const shapeOf = (at: number, size: number): string => {
  if (size === 1) return ''
  const split = splitOf(size)
  return at < split ? `${shapeOf(at, split)}R` : `${shapeOf(at - split, size - split)}L`
}

test('range: malformed input is false, never an error', () => {
  const index = filled()
  const [leaf, root] = [leaves[0] as Hex, index.root(5)]
  const siblings = index.prove(0, 5)
  for (const [size, at] of [
    [5, -1],
    [5, 0.5],
    [5, Number.NaN],
    [0, 0],
    [Number.POSITIVE_INFINITY, 0],
  ] as const)
    assert(!verifyInclusion(root, size, at, leaf, siblings))
  for (const bad of ['0x', '0x12', 'abc', `${leaf}00`] as Hex[]) {
    assert(!verifyInclusion(root, 5, 0, bad, siblings))
    assert(!verifyInclusion(root, 5, 0, leaf, siblings.with(1, bad)))
    assert(!verifyInclusion(bad, 5, 0, leaf, siblings))
  }
})

test('range: an index grows past its first capacity', () => {
  const index = new RangeIndex()
  let range: Range = emptyRange
  for (let i = 0; i < 2100; i++) {
    const leaf = leaves[i % 71] as Hex
    index.append(leaf)
    range = appendLeaf(range, leaf)
  }
  assert.equal(index.root(2100), rangeRoot(range))
  assert.equal(index.leaf(2099), leaves[2099 % 71])
  const proof = index.prove(1500, 2100)
  assert(verifyInclusion(rangeRoot(range), 2100, 1500, index.leaf(1500), proof))
  assert.throws(() => index.leaf(2100), /defect/)
  assert.throws(() => index.root(2101), /defect/)
  assert.throws(() => index.prove(5, 5), /defect/)
})
