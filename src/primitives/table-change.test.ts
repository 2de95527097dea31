import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  collectNew,
  emptyTable,
  fromUtf8,
  loadTable,
  replacedNodes,
  type Table,
  utf8,
} from './index.ts'

const texts = { encode: utf8, decode: fromUtf8 }
const empty = emptyTable(texts)

/** A store in memory. */
function memoryStore() {
  const rows = new Map<number, Uint8Array>()
  let nextId = 1
  const read = (id: number) => rows.get(id)
  const save = (table: Table<string>) => {
    const firstId = nextId
    const { rows: added, rootId } = collectNew(table, firstId, read)
    for (const { id, bytes } of added) rows.set(id, bytes)
    nextId += added.length
    return { firstId, rootId }
  }
  /** Ids of all nodes of a stored version. */
  const reachable = (table: Table<string>, rootId: number): ReadonlySet<number> => {
    const met = new Set<number>()
    const noting = (id: number) => {
      met.add(id)
      return rows.get(id)
    }
    for (const _ of loadTable(texts, noting, rootId, table.root(), table.size).entries());
    return met
  }
  return { read, save, reachable }
}

const operation = fc.record({
  key: fc.integer({ min: 0, max: 60 }).map(String),
  value: fc.option(fc.string({ maxLength: 2 }), { nil: undefined }),
})

const changed = (table: Table<string>, operations: readonly { key: string; value?: string }[]) =>
  operations.reduce(
    (done, { key, value }) => (value === undefined ? done.delete(key) : done.set(key, value)),
    table,
  )

test('replacedNodes: are exactly those that the next version no longer reaches', () =>
  fc.assert(
    fc.property(
      fc.array(fc.array(operation, { maxLength: 25 }), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      (blocks, reload) => {
        const store = memoryStore()
        let before = empty
        let had: ReadonlySet<number> = new Set()
        for (const operations of blocks) {
          const after = changed(before, operations as { key: string; value?: string }[])
          const { firstId, rootId } = store.save(after)
          const has = store.reachable(after, rootId)
          assert.deepEqual(
            new Set(replacedNodes(before, after, firstId, store.read)),
            new Set([...had].filter((id) => !has.has(id))),
          )
          had = has
          before = reload ? loadTable(texts, store.read, rootId, after.root(), after.size) : after
        }
      },
    ),
    { numRuns: 150 },
  ))

test('replacedNodes: a version that comes back from before the last one is a defect', () => {
  const store = memoryStore()
  const first = changed(empty, [
    { key: '1', value: 'a' },
    { key: '2', value: 'b' },
  ])
  store.save(first)
  const second = first.set('1', 'c')
  store.save(second)
  const { firstId } = store.save(first)
  assert.throws(() => replacedNodes(second, first, firstId, store.read), /one before it/)
})

test('replacedNodes: a table that the store does not hold is a defect', () => {
  const store = memoryStore()
  assert.throws(() => replacedNodes(empty, empty.set('1', 'a'), 1, store.read), /filed/)
})
