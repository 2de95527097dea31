import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { getContractAddress } from 'viem'
import type { Hex, Store } from '#primitives'
import {
  addressOf,
  bytesOf,
  contextAt,
  probeInitcode,
  signed,
  testGenesis,
  transfer,
} from '../test-support/chain.ts'
import { nativeRecover } from '../test-support/native-recover.ts'
import { createEngine } from './engine.ts'
import { createMemoryStore } from './memory-store.ts'
import { l2SnapshotItems, snapshotBlocks } from './snapshot-items.ts'
import { readL2Snapshot } from './snapshot-restore.ts'
import type { BlockHead, Engine, L2Part } from './types.ts'

const genesis = testGenesis()
const latest = { by: 'latest' } as const
const probe = getContractAddress({ from: addressOf(0), nonce: 0n }).toLowerCase() as Hex

const open = (store: Store) => createEngine({ genesis, store, recover: nativeRecover })

const execute = async (engine: Engine, height: number, ...transactions: Hex[]) =>
  engine.execute(height, contextAt(height, (await engine.head()).hash), transactions.map(bytesOf))

/** A chain with a contract that has storage, and so many transfers after it. */
async function lived(transfers: number) {
  const store = createMemoryStore()
  const engine = await open(store)
  await execute(engine, 1, await signed(0, 0, { data: probeInitcode, gas: 300_000n }))
  await execute(engine, 2, await signed(1, 0, { to: probe, gas: 200_000n }))
  for (let nonce = 0; nonce < transfers; nonce++)
    await execute(engine, 3 + nonce, await transfer(2, nonce, 3))
  return { store, engine, head: await engine.head() }
}

/** Reads items as if they came from a stranger. */
const read = (
  items: readonly Uint8Array[],
  { hash, header }: BlockHead,
  take: (part: L2Part) => Promise<void> = async () => {},
) => {
  const left = items.values()
  const next = async () => left.next().value ?? assert.fail('no item is left')
  return readL2Snapshot(next, { hash, number: header.number }, nativeRecover, take)
}

test('L2 snapshot: another engine goes on from it as if it had executed every block', async () => {
  const { store, engine, head } = await lived(1)
  const other = await open(createMemoryStore())
  const items = [...l2SnapshotItems(store, head.hash)]
  const before = await other.head()
  await read(items, head, async (part) => {
    if (part.kind === 'head') assert.deepEqual(await other.head(), before, 'nothing is seen yet')
    await other.restore(part)
  })
  assert.deepEqual(await other.head(), head)
  const call = await signed(1, 1, { to: probe, gas: 200_000n })
  const [ours, theirs] = [await execute(engine, 9, call), await execute(other, 9, call)]
  assert.deepEqual(theirs, ours)
  assert.equal(ours.receipts[0]?.logs.length, 1)
  assert.deepEqual(
    await other.storage(probe, `0x${'00'.repeat(32)}`, latest),
    await engine.storage(probe, `0x${'00'.repeat(32)}`, latest),
  )
  const sent = await other.receipts(head.hash)
  assert.deepEqual(sent, await engine.receipts(head.hash))
})

test('L2 snapshot: is the same from an engine that began from one, and has no more blocks', async () => {
  const { store, engine, head } = await lived(snapshotBlocks)
  const items = [...l2SnapshotItems(store, head.hash)]
  const otherStore = createMemoryStore()
  const other = await open(otherStore)
  await read(items, head, (part) => other.restore(part))
  assert.deepEqual([...l2SnapshotItems(otherStore, head.hash)], items)
  const more = await transfer(4, 0, 5)
  await execute(engine, 999, more)
  await execute(other, 999, more)
  const next = (await engine.head()).hash
  assert.deepEqual([...l2SnapshotItems(otherStore, next)], [...l2SnapshotItems(store, next)])
  const hidden = await other.block({ by: 'number', number: head.header.number - snapshotBlocks })
  assert.equal(hidden, undefined)
})

test('L2 snapshot: one changed byte anywhere is found', async () => {
  const { store, head } = await lived(2)
  const items = [...l2SnapshotItems(store, head.hash)]
  await read(items, head)
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (at, byte, by) => {
      const place = at % items.length
      const changed = Uint8Array.from(items[place] ?? [])
      changed[byte % changed.length] = (changed[byte % changed.length] ?? 0) ^ by
      await assert.rejects(read(items.with(place, changed), head), { code: 'BadL2Snapshot' })
    }),
    { numRuns: 60 },
  )
})
