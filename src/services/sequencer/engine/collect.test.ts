import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Account, Address } from '@ethereumjs/util'
import fc from 'fast-check'
import { fromHex, type Hex, keccak256, type Store, toHex } from '#primitives'
import { emptyTrieRoot } from '../state/trie.ts'
import { Collector } from './collect.ts'
import { createMemoryStore } from './memory-store.ts'
import { newBatch, nodeKeys, setChain, stateSource } from './rows.ts'
import { walkState } from './snapshot-items.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { WorldState } from './world-state.ts'

const folder = mkdtempSync(join(tmpdir(), 'nodeop-collect-'))
after(() => rmSync(folder, { recursive: true }))

const kept = 5
/** Blocks after which nothing of a block may be left that no later one has: two turns. */
const longest = 2 * (kept + 64 + 30)
const none = toHex(new Uint8Array(32))

type Change = {
  readonly id: number
  readonly slot: number
  readonly value: number
  readonly isGone: boolean
}
type Block = { readonly changes: readonly Change[]; readonly event: 'killed' | 'again' | 'none' }

const block: fc.Arbitrary<Block> = fc.record({
  changes: fc.array(
    fc.record({
      ...{ id: fc.nat(7), slot: fc.nat(9), value: fc.nat(3) },
      isGone: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  event: fc.constantFrom('killed', 'again', 'none', 'none', 'none'),
})

/** Accounts that nothing changes afterwards. */
const still: Block = {
  changes: Array.from({ length: 60 }, (_, at) => ({
    ...{ id: 100 + (at % 20), slot: at, value: 1, isGone: false },
  })),
  event: 'none',
}

/** A chain of states in a store, of which the latest are kept. */
class StateChain {
  readonly store: Store
  /** State root after each block. */
  readonly roots: Hex[] = [toHex(emptyTrieRoot)]
  #collector: Collector
  #state: WorldState

  constructor(store: Store) {
    this.store = store
    this.#collector = new Collector(store, 3)
    this.#state = this.#stateAt(0)
  }

  #stateAt(number: number): WorldState {
    const root = this.roots[number] ?? assert.fail()
    return new WorldState(stateSource(this.store), fromHex(root))
  }

  get number(): number {
    return this.roots.length - 1
  }

  async add({ changes, event }: Block): Promise<void> {
    if (event === 'killed') this.#open(this.number)
    if (event === 'again') await this.#add(changes) // and lost: the ledger did not commit it
    if (event === 'again') this.#open(this.number - 1)
    await this.#add(changes)
  }

  /** A new process goes on from a block. */
  #open(number: number): void {
    this.roots.length = number + 1
    this.#collector = new Collector(this.store, 3)
    this.#state = this.#stateAt(number)
  }

  async #add(changes: readonly Change[]): Promise<void> {
    const batch = newBatch(this.store)
    for (const change of changes) await apply(this.#state, change)
    const stateRoot = toHex(this.#state.flush(batch))
    const number = this.roots.push(stateRoot) - 1
    setChain(batch, none, Math.max(0, number - kept + 1))
    const own = batch.rows.length
    this.#collector.add(batch, { header: { number, stateRoot } })
    assert(batch.rows.length <= own + Math.max(3, 4 * own) + 1, 'a bit at a time')
    this.store.putBatch(batch.rows)
  }

  /** Whether all of the state after a block is there; what it consists of goes to `seen`. */
  reads(number: number, seen = new Set<string>()): boolean {
    const source = stateSource(this.store)
    const walk = walkState(fromHex(this.roots[number] ?? assert.fail()))
    for (let step = walk.next(); !step.done; ) {
      const bytes = source.node(step.value.hash)
      if (!bytes) return false
      seen.add(toHex(step.value.hash))
      step = walk.next(bytes)
    }
    return true
  }
}

async function apply(state: WorldState, { id, slot, value, isGone }: Change): Promise<void> {
  const address = new Address(keccak256(Uint8Array.of(id)).subarray(12))
  if (isGone) return state.deleteAccount(address)
  if (!(await state.getAccount(address))) await state.putAccount(address, new Account(1n))
  const key = new Uint8Array(32).fill(slot)
  await state.putStorage(address, key, value === 0 ? key.subarray(32) : Uint8Array.of(value))
}

const nodesIn = (store: Store): readonly string[] =>
  (['node', 'secondNode'] as const).flatMap((place) =>
    nodeKeys(store, place, 1e6).map((key) => toHex(key.subarray(1))),
  )

test('collect: every state that is kept is whole, and what only dropped ones had is gone', () =>
  fc.assert(
    fc.asyncProperty(fc.array(block, { minLength: 300, maxLength: 320 }), async (blocks) => {
      const chain = new StateChain(createMemoryStore())
      const had: Set<string>[] = []
      await chain.add(still)
      for (const one of blocks) {
        await chain.add(one)
        const { number } = chain
        had[number] = new Set()
        assert(chain.reads(number, had[number]), `state ${number}`)
        const first = Math.max(0, number - kept + 1)
        assert(chain.reads(first), `state ${first} after block ${number}`)
      }
      const mayBe = new Set(had.slice(-longest).flatMap((nodes) => [...nodes]))
      const left = nodesIn(chain.store).filter((hash) => !mayBe.has(hash))
      assert.deepEqual(left, [])
      assert(
        had.some((nodes) => [...nodes].some((hash) => !mayBe.has(hash))),
        'some were',
      )
    }),
    { numRuns: 2, endOnFailure: true },
  ))

test('collect: a state that stays is there twice at most, and nothing beside it', async (t) => {
  const store = openSqliteStore({ file: join(folder, 'l2.sqlite'), durable: false })
  t.after(() => store.close())
  const chain = new StateChain(store)
  await chain.add(still)
  const live = new Set<string>()
  assert(chain.reads(1, live))
  for (let at = 0; at < 400; at++) await chain.add({ changes: [], event: 'none' })
  const nodes = nodesIn(chain.store)
  assert.deepEqual(new Set(nodes), live)
  assert(nodes.length <= 2 * live.size)
})
