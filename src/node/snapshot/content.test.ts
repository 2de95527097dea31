import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { appendLeaf, emptyRange, type Range, rangeRoot, toHex, verifyInclusion } from '#primitives'
import { appHash, type Ledger, withChain } from '#protocol'
import { type Leaf, leafHash } from '#records'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import { createDisk } from '../disk.ts'
import { OutboxIndex } from '../outbox-index.ts'
import { createMemoryBesides } from '../store/test-support/memory-besides.ts'
import { firstLeafIn, ledgerItems, type OutboxPart, readLedger, readOutbox } from './content.ts'
import { readItems, writeItems } from './items.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop-content-'))
after(() => rmSync(base, { recursive: true }))

const leafAt = (index: number): Leaf => {
  const subject = toHex(new Uint8Array(32).fill(index % 251).with(0, index >> 8))
  return {
    ...{ index, service: 'text', kind: 'result', subject, rule: 'exact' },
    ...{ agreeingWeight: 3, committeeWeight: 4, stakeWei: 9n, body: new Uint8Array(index % 7) },
  }
}

/** A ledger whose outbox has so many leaves, all of which L1 holds, and an index that followed. */
function withLeaves(count: number) {
  const kept = createMemoryBesides()
  const index = new OutboxIndex(kept, { keptLeaves: 1_024 })
  let ledger: Ledger = new LedgerNetwork(4).ledger
  let range: Range = emptyRange
  for (let at = 0; at < count; at++) {
    range = appendLeaf(range, leafHash(leafAt(at)))
    const leaves = ledger.leaves.set(String(at), leafAt(at))
    const landed = { index: 1, size: at + 1 }
    const chain = { outboxSize: at + 1, outboxPeaks: range.peaks, landed }
    ledger = withChain({ ...ledger, leaves }, chain)
    kept.put(index.committed({ after: ledger, l1Events: [] }))
  }
  return { ledger, index, range }
}

const { ledger, index, range } = withLeaves(603)
const part = index.from(firstLeafIn(ledger))

/** A snapshot's ledger and outbox, written and read. */
async function passed(outbox: OutboxPart) {
  const file = await createDisk(base).open('items')
  try {
    await file.truncate(0)
    const written = await writeItems(file, ledgerItems(ledger, outbox), () => false)
    const items = readItems(file, written?.bytes ?? 0)
    const read = await readLedger(items, ledger.constants)
    const outboxRead = await readOutbox(items, read)
    assert(items.isAtEnd())
    return { read, outboxRead }
  } finally {
    await file.close()
  }
}

test('content: leaves that L1 has are left out but for the newest, and the rest can be proved', async () => {
  assert.equal(part.before.size, 603 - 256)
  const { read, outboxRead } = await passed(part)
  assert.equal(appHash(read), appHash(ledger))
  assert.deepEqual(outboxRead, part)
  const kept = createMemoryBesides()
  const other = new OutboxIndex(kept, { keptLeaves: 1_024 })
  kept.put(other.restore(outboxRead))
  const again = new OutboxIndex(kept, { size: 603, keptLeaves: 1_024 })
  for (let at = part.before.size; at < 603; at++) {
    const siblings = again.prove(at, 603)
    assert.deepEqual(siblings, index.prove(at, 603))
    assert(verifyInclusion(rangeRoot(range), 603, at, leafHash(leafAt(at)), siblings))
  }
  assert.deepEqual(again.from(part.before.size), part)
  assert.throws(() => again.from(part.before.size - 1), { code: 'ForgottenLeaf' })
})

test('content: what waits for L1 is in a snapshot, however old', () => {
  const task = toHex(new Uint8Array(32))
  const owed = { leafIndex: 5, task, assignee: 0, landedMs: 0 }
  const deliveries = ledger.deliveries.set('5', owed)
  assert.equal(firstLeafIn({ ...ledger, deliveries }), 5)
  assert.equal(firstLeafIn(withChain(ledger, { landed: { index: 1, size: 3 } })), 3)
})

test('content: an outbox of another ledger is refused', async () => {
  const refused = { code: 'BadSnapshot' }
  const { before, leaves } = part
  const other: Leaf = { ...(leaves[9] ?? leafAt(0)), body: new Uint8Array(9) }
  const wrong: readonly OutboxPart[] = [
    { before, leaves: leaves.with(9, other) },
    { before: { ...before, peaks: before.peaks.with(0, toHex(new Uint8Array(32))) }, leaves },
    index.from(before.size - 1),
    { before, leaves: leaves.slice(1) },
  ]
  for (const outbox of wrong) await assert.rejects(passed(outbox), refused)
})
