import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMerkleProof, createMPT } from '@ethereumjs/mpt'
import fc from 'fast-check'
import { rlpInteger, toHex } from '#primitives'
import { trieValue } from './trie.ts'

const values = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), {
  minLength: 1,
  maxLength: 300,
})

/** A trie as a block's transactions make it: RLP of the index to bytes. */
async function trieOf(items: readonly Uint8Array[]) {
  const trie = await createMPT()
  for (const [index, item] of items.entries()) await trie.put(rlpInteger(index), item)
  return trie
}

test('trieValue: every proof of @ethereumjs/mpt shows its value', () =>
  fc.assert(
    fc.asyncProperty(values, fc.nat(), async (items, pick) => {
      const trie = await trieOf(items)
      const index = pick % items.length
      const listed = await createMerkleProof(trie, rlpInteger(index))
      // It lists nodes below 32 bytes too, though they stand in their parent.
      const proof = listed.filter((node, place) => place === 0 || node.length >= 32)
      const value = trieValue(trie.root(), rlpInteger(index), proof)
      assert.deepEqual(value && toHex(value), toHex(items[index] as Uint8Array))
    }),
    { numRuns: 25 },
  ))

test('trieValue: a changed, missing or additional node shows nothing', async () => {
  const items = Array.from({ length: 200 }, (_, i) => new Uint8Array(40).fill(i))
  const trie = await trieOf(items)
  const key = rlpInteger(150)
  const proof = await createMerkleProof(trie, key)
  assert(trieValue(trie.root(), key, proof))
  for (const [place, node] of proof.entries())
    for (let i = 0; i < node.length; i += 7) {
      const broken = proof.map((one) => Uint8Array.from(one))
      ;(broken[place] as Uint8Array)[i] = (node[i] as number) ^ 1
      assert.equal(trieValue(trie.root(), key, broken), undefined)
    }
  assert.equal(trieValue(trie.root(), key, proof.slice(0, -1)), undefined)
  assert.equal(trieValue(trie.root(), key, [...proof, proof[0] as Uint8Array]), undefined)
  assert.equal(trieValue(trie.root(), rlpInteger(151), proof), undefined)
  assert.equal(trieValue(trie.root(), rlpInteger(999), proof), undefined)
})

test('trieValue: the proof that a key is absent shows no value', async () => {
  const trie = await trieOf([Uint8Array.of(1), Uint8Array.of(2)])
  const key = rlpInteger(77)
  assert.equal(trieValue(trie.root(), key, await createMerkleProof(trie, key)), undefined)
})
