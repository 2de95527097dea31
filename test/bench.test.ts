import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseDraft } from '../bench/allocation-instances.ts'
import { startPeer } from '../bench/allocation-peer.ts'
import { cost, formatTable } from '../bench/figure.ts'

test('bench: a Python that is not there, or lacks a peer, gives no peer instead of an error', async (t) => {
  const before = process.env.NODEOP_PYTHON
  t.after(() => {
    if (before === undefined) delete process.env.NODEOP_PYTHON
    else process.env.NODEOP_PYTHON = before
  })
  // Neither has the peer: the one does not exist, the other ends at once without an answer.
  for (const python of ['/no/such/python', process.execPath]) {
    process.env.NODEOP_PYTHON = python
    assert.equal(await startPeer('clarabel', baseDraft(3, 2, 1), 1), undefined, python)
  }
})

test('bench: a figure without a peer has no ratio', () => {
  const alone = cost('x', 'y-ms', { ours: 2, peer: null, unit: 'ms', n: 1 })
  const beside = cost('x', 'z-ms', { ours: 2, peer: 9, unit: 'ms', n: 1 })
  assert.deepEqual([alone.ratio, beside.ratio], [null, 4.5])
  assert.match(formatTable({ figures: [alone, beside], notes: [] }), /^y-ms +1 +2 +– +– +ms$/m)
})
