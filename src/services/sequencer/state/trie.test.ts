import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMPT, verifyMerkleProof } from '@ethereumjs/mpt'
import fc from 'fast-check'
import { type Hex, keccak256, rlpInteger, toHex } from '#primitives'
import {
  indexedProof,
  indexedRoot,
  type NodeSource,
  type Trie,
  trieDelete,
  trieGet,
  trieOf,
  triePut,
  trieRoot,
} from './trie.ts'

const keyOf = (id: number): Uint8Array => keccak256(Uint8Array.of(id))
const steps = fc.array(
  fc.record({ id: fc.nat(40), value: fc.option(fc.uint8Array({ minLength: 1, maxLength: 40 })) }),
  { maxLength: 60 },
)

test('trie: any puts and deletes give the root of @ethereumjs/mpt', () =>
  fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const theirs = await createMPT()
      const nodes = new Map<Hex, Uint8Array>()
      const source: NodeSource = (hash) => nodes.get(toHex(hash))
      let ours: Trie
      for (const [i, { id, value }] of list.entries()) {
        if (value) await theirs.put(keyOf(id), value)
        else await theirs.del(keyOf(id))
        ours = value ? triePut(ours, keyOf(id), value, source) : trieDelete(ours, keyOf(id), source)
        if (i % 7 !== 6) continue
        const root = trieRoot(ours, (hash, encoded) => nodes.set(toHex(hash), encoded))
        assert.deepEqual(root, theirs.root())
        ours = trieOf(root) // from here on it loads what it visits
      }
      assert.deepEqual(trieRoot(ours), theirs.root())
      for (const { id } of list) {
        const value = await theirs.get(keyOf(id))
        assert.deepEqual(trieGet(ours, keyOf(id), source), value ?? undefined)
      }
    }),
    { numRuns: 60 },
  ))

test('trie: a proof of any indexed value verifies under the root', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 140 }),
      fc.nat(),
      async (values, pick) => {
        const index = pick % values.length
        const proof = indexedProof(values, index)
        assert.deepEqual(keccak256(proof[0] as Uint8Array), indexedRoot(values))
        assert.deepEqual(await verifyMerkleProof(rlpInteger(index), proof), values[index])
      },
    ),
    { numRuns: 30 },
  ))

test('trie: a missing node is an error, never an absent value', () => {
  const trie = trieOf(keccak256(Uint8Array.of(1)))
  const nothing = () => undefined
  assert.throws(() => trieGet(trie, keyOf(1), nothing), { code: 'MissingTrieNode' })
  assert.throws(() => triePut(trie, keyOf(1), keyOf(1), nothing), { code: 'MissingTrieNode' })
})
