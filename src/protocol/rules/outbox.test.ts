import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyRangeRoot, RangeIndex, toHex } from '#primitives'
import type { Ledger } from '#protocol'
import { type Leaf, leafHash } from '#records'
import { idealCrypto } from '../../../test/support/ledger-crypto.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { agreeOnTask, executed, vouch } from '../../../test/support/ledger-script.ts'
import { appendLeaf, leavesKept, outboxRoot } from './outbox.ts'
import { maxOpenTasks } from './tasks.ts'

const draft = (byte: number): Omit<Leaf, 'index'> => ({
  service: 'tally',
  kind: 'block',
  subject: toHex(new Uint8Array(32).fill(byte)),
  rule: 'replicated',
  agreeingWeight: 3,
  committeeWeight: 4,
  stakeWei: 0n,
  body: new Uint8Array([byte]),
})
const grow = (ledger: Ledger, count: number): Ledger => {
  let grown = ledger
  for (let i = 0; i < count; i++) grown = appendLeaf(grown, draft(i & 255)).ledger
  return grown
}

test('outbox: leaves have the next index, and the root is that of all leaves', () => {
  const { ledger } = new LedgerNetwork(4, {}, idealCrypto)
  assert.equal(outboxRoot(ledger), emptyRangeRoot)
  const index = new RangeIndex()
  let grown = ledger
  for (let i = 0; i < 20; i++) {
    const appended = appendLeaf(grown, draft(i))
    assert.equal(appended.index, i)
    grown = appended.ledger
    index.append(leafHash({ ...draft(i), index: i }))
    assert.equal(outboxRoot(grown), index.root(i + 1))
  }
  assert.equal(ledger.chain.outboxSize, 0)
})

test('outbox: only the newest leaves keep their content, and those that wait for delivery', () => {
  const network = new LedgerNetwork(4, {}, idealCrypto)
  const id = agreeOnTask(network)
  network.ledger = grow(network.ledger, leavesKept + 2)
  const { leaves } = network.ledger
  assert.equal(leaves.size, leavesKept + 1)
  assert.deepEqual(
    [0, 1, 2, 3, leavesKept + 2].map((index) => leaves.has(String(index))),
    [true, false, false, true, true],
  )
  vouch(network, [executed(network, id)])
  assert.equal(network.ledger.leaves.size, leavesKept)
  assert(leavesKept > maxOpenTasks, 'one block adds fewer than are kept')
})
