import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMerkleProof, createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import fc from 'fast-check'
import { fromHex, type Hex, keccak256, keccak256Hex, rlpInteger, toHex } from '#primitives'
import type { Leaf } from '#records'
import { type ProofView, toLeafView } from './proof.ts'
import { type ProofFault, verifyProof } from './verify.ts'

const word = (byte: number): Hex => toHex(new Uint8Array(32).fill(byte))

/** RFC 9162 §2.1.1 as it is written: split at the largest power of two below the size. */
function rootOf(leaves: readonly Hex[]): Hex {
  if (leaves.length === 1) return leaves[0] as Hex
  const split = splitOf(leaves.length)
  const [left, right] = [rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split))]
  return keccak256Hex(fromHex(left), fromHex(right))
}

/** RFC 9162 §2.1.3.1: the path of one leaf, bottom-up. */
function pathOf(index: number, leaves: readonly Hex[]): Hex[] {
  if (leaves.length === 1) return []
  const split = splitOf(leaves.length)
  return index < split
    ? [...pathOf(index, leaves.slice(0, split)), rootOf(leaves.slice(split))]
    : [...pathOf(index - split, leaves.slice(split)), rootOf(leaves.slice(0, split))]
}

const splitOf = (size: number): number => 2 ** Math.ceil(Math.log2(size) - 1)

const leafOf = (changes: Partial<Leaf>): Leaf => ({
  index: 2,
  service: 'sequencer',
  kind: 'block',
  subject: word(9),
  rule: 'replicated',
  agreeingWeight: 4,
  committeeWeight: 4,
  stakeWei: 5n,
  body: Uint8Array.of(1, 2, 3),
  ...changes,
})

/** A proof's end: leaf, siblings and checkpoint over five leaves. */
function anchored(leaf: Leaf) {
  const view = toLeafView(leaf)
  const leaves = [word(0), word(1), view.hash, word(3), word(4)]
  const checkpoint = {
    index: 1,
    size: 5,
    root: rootOf(leaves),
    startS: 10,
    windowS: 4,
    submitters: [1],
  }
  return { leaf: view, siblings: pathOf(2, leaves), checkpoint }
}

async function transactionProof(): Promise<ProofView> {
  const transactions = Array.from({ length: 30 }, (_, i) => new Uint8Array(110).fill(i + 1))
  const trie = await createMPT()
  for (const [i, raw] of transactions.entries()) await trie.put(rlpInteger(i), raw)
  const fields = Array.from({ length: 16 }, (): Uint8Array => new Uint8Array(32))
  fields[4] = trie.root()
  fields[8] = Uint8Array.of(7)
  const header = RLP.encode(fields)
  const nodes = await createMerkleProof(trie, rlpInteger(12))
  const hash = keccak256Hex(transactions[12] as Uint8Array)
  const blockHash = toHex(keccak256(header))
  return {
    subject: hash,
    kind: 'transaction',
    status: 'certified',
    transaction: {
      hash,
      index: 12,
      blockHash,
      blockNumber: 7,
      headerRlp: toHex(header),
      trieProof: nodes.map(toHex),
    },
    ...anchored(leafOf({ subject: blockHash })),
  }
}

const taskProof = (): ProofView => ({
  subject: word(9),
  kind: 'task',
  status: 'certified',
  ...anchored(leafOf({ kind: 'result', service: 'price', rule: 'median' })),
})

const refused = (proof: unknown, reason: ProofFault) =>
  assert.deepEqual(verifyProof(proof), { ok: false, reason })

test('verifyProof: a transaction and a task lead to their root', async () => {
  assert.deepEqual(verifyProof(await transactionProof()), { ok: true })
  assert.deepEqual(verifyProof(taskProof()), { ok: true })
  assert.deepEqual(verifyProof(JSON.parse(JSON.stringify(taskProof()))), { ok: true })
})

test('verifyProof: each broken step is named', async () => {
  const proof = await transactionProof()
  const { transaction, leaf, checkpoint } = proof
  assert(transaction && leaf && checkpoint)
  const altered = (changes: Partial<typeof transaction>) => ({
    ...proof,
    transaction: { ...transaction, ...changes },
  })
  refused({ ...proof, checkpoint: undefined }, 'NotProvable')
  refused({ ...proof, transaction: undefined }, 'NotProvable')
  refused({ ...proof, subject: 'x' }, 'BadProof')
  refused({ ...proof, subject: word(1) }, 'SubjectMismatch')
  refused(altered({ blockNumber: 8 }), 'HeaderMismatch')
  refused(altered({ headerRlp: '0xc0' }), 'HeaderMismatch')
  refused(altered({ index: 13 }), 'TransactionNotInBlock')
  refused(altered({ trieProof: [] }), 'TransactionNotInBlock')
  refused({ ...proof, leaf: { ...leaf, agreeingWeight: 3 } }, 'LeafMismatch')
  refused({ ...proof, leaf: { ...leaf, kind: 'result' } }, 'SubjectMismatch')
  refused({ ...proof, checkpoint: { ...checkpoint, root: word(7) } }, 'NotInOutbox')
  refused({ ...proof, siblings: [] }, 'NotInOutbox')
  refused({ ...taskProof(), subject: word(8) }, 'SubjectMismatch')
})

test('verifyProof: no byte of the path can change unnoticed', async () => {
  const text = JSON.stringify(await transactionProof())
  const start = text.indexOf('"transaction":')
  fc.assert(
    fc.property(fc.integer({ min: start, max: text.length - 1 }), (at) => {
      if (!/[0-9a-f]/.test(text[at] as string)) return
      const other = text[at] === '1' ? '2' : '1'
      const changed = `${text.slice(0, at)}${other}${text.slice(at + 1)}`
      const verdict = verifyProof(parse(changed))
      // What the root does not cover: who may submit when, and the checkpoint's number.
      const uncovered = at > text.indexOf('"startS"') || isWithin(text, at, '"checkpoint":{"index"')
      if (!uncovered) assert.equal(verdict.ok, false, changed.slice(at - 20, at + 20))
    }),
  )
})

const isWithin = (text: string, at: number, mark: string): boolean =>
  at >= text.indexOf(mark) && at < text.indexOf(mark) + mark.length + 2

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

test('verifyProof: nothing makes it throw', async () => {
  const proof = await transactionProof()
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(proof)), (value, field) => {
      assert.equal(verifyProof({ ...proof, leaf: undefined, [field]: value }).ok, false)
    }),
  )
})
