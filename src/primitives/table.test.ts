import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  CorruptNodeError,
  collectNew,
  emptyTable,
  fromUtf8,
  loadTable,
  type NodeReader,
  sha256,
  sha256Hex,
  type Table,
  toHex,
  utf8,
  verifyTableProof,
} from './index.ts'

const texts = { encode: utf8, decode: fromUtf8 }
const empty = emptyTable(texts)

const tableWith = (entries: Iterable<readonly [string, string]>): Table<string> => {
  let table = empty
  for (const [key, value] of entries) table = table.set(key, value)
  return table
}

/** `count` entries with keys '0', '1', … */
const numbered = (count: number): Table<string> =>
  tableWith(Array.from({ length: count }, (_, i) => [String(i), `value ${i}`] as const))

/** A store in memory that counts its reads. */
function memoryStore() {
  const rows = new Map<number, Uint8Array>()
  const store = { rows, reads: 0, nextId: 1, read: (id: number) => rows.get(id) }
  const read: NodeReader = (id) => {
    store.reads++
    return rows.get(id)
  }
  return Object.assign(store, { read })
}

function save(table: Table<string>, store: ReturnType<typeof memoryStore>) {
  const { rows, rootId } = collectNew(table, store.nextId, store.read)
  for (const { id, bytes } of rows) store.rows.set(id, bytes)
  store.nextId += rows.length
  return {
    rows,
    load: () => loadTable(texts, store.read, rootId, table.root(), table.size),
    rootId,
  }
}

const key = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map(String),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const operation = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), key, value: fc.string({ maxLength: 4 }) }),
  fc.record({ kind: fc.constant('delete' as const), key }),
)

test('table: behaves as a Map under any operations and leaves old versions untouched', () =>
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const model = new Map<string, string>()
      const versions: { table: Table<string>; content: [string, string][] }[] = []
      let table = empty
      for (const one of operations) {
        versions.push({ table, content: [...model] })
        if (one.kind === 'set') model.set(one.key, one.value)
        else model.delete(one.key)
        table = one.kind === 'set' ? table.set(one.key, one.value) : table.delete(one.key)
      }
      versions.push({ table, content: [...model] })
      for (const { table: version, content } of versions) {
        assert.equal(version.size, content.length)
        assert.deepEqual(new Map(version.entries()), new Map(content))
        for (const [name, value] of content) assert.equal(version.get(name), value)
      }
    }),
    { numRuns: 60 },
  ))

test('table: the root depends on the content only, not on the history', () =>
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      let table = empty
      for (const one of operations)
        table = one.kind === 'set' ? table.set(one.key, one.value) : table.delete(one.key)
      const content = [...table.entries()]
      const rebuilt = tableWith(content.toReversed())
      assert.deepEqual(rebuilt.root(), table.root())
      assert.deepEqual([...rebuilt.entries()], content)
    }),
    { numRuns: 60 },
  ))

test('table: deleting most of a deep table leaves what was never more', () => {
  let table = numbered(3000)
  for (let i = 0; i < 3000; i++) if (i % 100 !== 0) table = table.delete(String(i))
  const kept = Array.from({ length: 30 }, (_, i) => [`${100 * i}`, `value ${100 * i}`] as const)
  assert.deepEqual(table.root(), tableWith(kept).root())
  assert.equal(table.size, 30)
})

test('table: any difference in content changes the root', () => {
  const table = numbered(50)
  const roots = [
    table,
    table.set('7', 'other'),
    table.delete('7'),
    table.set('50', 'value 50'),
    table.delete('7').set('07', 'value 7'),
    empty.set('a', 'bc'),
    empty.set('ab', 'c'),
    empty,
  ].map((one) => sha256Hex(one.root()))
  assert.equal(new Set(roots).size, roots.length)
})

test('table: the empty root is 32 zero bytes, also after the last entry is deleted', () => {
  assert.deepEqual(empty.root(), new Uint8Array(32))
  assert.deepEqual(numbered(20).delete('x').size, 20)
  let table = numbered(20)
  for (let i = 0; i < 20; i++) table = table.delete(String(i))
  assert.deepEqual(table.root(), new Uint8Array(32))
  assert.deepEqual([...table.keys()], [])
})

test('table: known roots stay what they are', () => {
  // Recorded from this implementation: a change here is State-breaking.
  assert.equal(
    sha256Hex(numbered(1).root(), numbered(2).root(), numbered(300).root()),
    '0x23cf0c55fdfddea104ee36b444f6656f6cb047979fb6d6879f88a474319bda30',
  )
})

test('table: the root of one and of two entries is as specified', () => {
  const leaf = (name: string, value: string) =>
    sha256(new Uint8Array([0]), sha256(utf8(name)), sha256(utf8(value)))
  assert.deepEqual(empty.set('a', '1').root(), leaf('a', '1'))
  // SHA-256 of 'a' begins with digit c, that of 'b' with 3.
  const head = new Uint8Array([1, 0b0001_0000, 0b0000_1000, 0, 0, 0, 0, 0, 2])
  assert.deepEqual(
    tableWith([
      ['a', '1'],
      ['b', '2'],
    ]).root(),
    sha256(head, leaf('b', '2'), leaf('a', '1')),
  )
})

test('table: entries come in the order of the hashes of their keys', () => {
  const keys = [...numbered(200).keys()]
  const hashOf = (key: string) => toHex(sha256(utf8(key)))
  const sorted = keys.toSorted((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1))
  assert.deepEqual(keys, sorted)
})

test('table: setting byte-equal bytes or deleting what is not there gives the same table', () => {
  const table = numbered(100)
  assert.equal(table.set('42', 'value 42'), table)
  assert.equal(table.delete('nobody'), table)
  assert.equal(empty.delete('nobody'), empty)
  assert.notEqual(table.set('42', 'value'), table)
})

test('table: a value is decoded once, and what is read is what the bytes say', () => {
  let decoded = 0
  const table = emptyTable<{ text: string }>({
    encode: ({ text }) => utf8(text.trim()),
    decode: (bytes) => {
      decoded++
      return { text: fromUtf8(bytes) }
    },
  }).set('a', { text: ' spaced ' })
  const later = table.set('b', { text: 'b' })
  assert.deepEqual(later.get('a'), { text: 'spaced' })
  assert.equal(later.get('a'), table.get('a'))
  assert.equal(decoded, 1)
})

test('table: texts with the same UTF-8 bytes are one key, also after a load', () => {
  const table = empty.set('\ud800', 'x').set('\ufeffbom', 'y')
  assert.equal(table.get('\ufffd'), 'x')
  assert.deepEqual(new Set(table.keys()), new Set(['\ufffd', '\ufeffbom']))
  const loaded = save(table, memoryStore()).load()
  assert.deepEqual([...loaded.keys()], [...table.keys()])
})

test('table: the caller of root cannot change the table through it', () => {
  const table = numbered(3)
  table.root().fill(0)
  assert.notDeepEqual(table.root(), new Uint8Array(32))
})

test('proofs: show every entry and every absence, and nothing else', () =>
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 60 }), key, (keys, other) => {
      const table = tableWith(keys.map((name) => [name, `of ${name}`] as const))
      for (const name of [...keys, other]) {
        const proof = table.prove(name)
        const value = table.get(name)
        const bytes = value === undefined ? undefined : utf8(value)
        assert(verifyTableProof(table.root(), name, bytes, proof))
        const lie = bytes === undefined ? utf8('of x') : undefined
        assert(!verifyTableProof(table.root(), name, lie, proof))
        if (bytes !== undefined) assert(!verifyTableProof(table.root(), `${name}!`, bytes, proof))
        assert(!verifyTableProof(table.set('new', '').root(), name, bytes, proof))
      }
    }),
    { numRuns: 60 },
  ))

test('proofs: fail when any byte changes, is missing or is added', () => {
  for (const table of [empty, numbered(1), numbered(2), numbered(40)])
    for (const name of ['0', '3', 'nobody', 'someone', 'x1', 'x2']) {
      const bytes = table.has(name) ? utf8(table.get(name) as string) : undefined
      const proof = table.prove(name)
      for (let i = 0; i < proof.length; i++)
        for (const flip of [1, 2, 3, 0x80])
          assert(
            !verifyTableProof(table.root(), name, bytes, proof.with(i, (proof[i] ?? 0) ^ flip)),
          )
      for (const cut of [0, 1, proof.length - 1])
        if (cut < proof.length)
          assert(!verifyTableProof(table.root(), name, bytes, proof.subarray(0, cut)))
      assert(!verifyTableProof(table.root(), name, bytes, new Uint8Array([...proof, 0])))
      assert(!verifyTableProof(table.root().with(5, 77), name, bytes, proof))
    }
})

test('proofs: arbitrary bytes are false, never an error', () =>
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.option(fc.uint8Array({ maxLength: 3 }), { nil: undefined }),
      (proof, value) => {
        const branchFirst = new Uint8Array([1, ...proof])
        assert(!verifyTableProof(numbered(3).root(), '1', value, proof))
        assert(!verifyTableProof(numbered(3).root(), '1', value, branchFirst))
      },
    ),
  ))

test('store: load(collectNew) gives the same root and entries, whatever was changed between', () =>
  fc.assert(
    fc.property(
      fc.array(fc.array(operation, { maxLength: 30 }), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      (blocks, reload) => {
        const store = memoryStore()
        let table = empty
        for (const operations of blocks) {
          for (const one of operations)
            table = one.kind === 'set' ? table.set(one.key, one.value) : table.delete(one.key)
          const loaded = save(table, store).load()
          assert.deepEqual(loaded.root(), table.root())
          assert.deepEqual([...loaded.entries()], [...table.entries()])
          if (reload) table = save(table, store).load()
        }
      },
    ),
    { numRuns: 60 },
  ))

test('store: only new nodes are written, with ascending ids, children first', () => {
  const store = memoryStore()
  const first = numbered(1000)
  const { rows } = save(first, store)
  assert.deepEqual(
    rows.map(({ id }) => id),
    rows.map((_, i) => i + 1),
  )
  assert.equal(rows.at(-1)?.id, save(first, store).rootId)
  assert.equal(save(first, store).rows.length, 0)
  const second = save(first.set('500', 'changed'), store)
  assert(second.rows.length >= 2 && second.rows.length <= 6, `${second.rows.length} rows`)
  assert.equal(second.load().get('500'), 'changed')
})

test('store: a loaded table reads only what is asked for, and each node once', () => {
  const store = memoryStore()
  const { load } = save(numbered(1000), store)
  const table = load()
  assert.equal(store.reads, 1)
  assert.equal(table.get('77'), 'value 77')
  const reads = store.reads
  assert(reads > 1 && reads < 8, `${reads} reads`)
  table.get('77')
  assert.equal(store.reads, reads)
  const changed = save(table.set('77', 'x'), store)
  assert.equal(store.reads, reads)
  assert(changed.rows.length < 8)
  assert.deepEqual([...changed.load().entries()], [...numbered(1000).set('77', 'x').entries()])
})

test('store: a table goes whole into each of several stores, and then only what is new', () => {
  const shared = numbered(100)
  const stores = [memoryStore(), memoryStore(), memoryStore()]
  const sizes = stores.map((store) => save(shared, store).rows.length)
  assert.equal(new Set(sizes).size, 1)
  for (const store of stores) {
    const { rows, load } = save(shared.set('5', 'five'), store)
    assert(rows.length < 6)
    assert.equal(load().get('5'), 'five')
  }
  const [first] = stores as [ReturnType<typeof memoryStore>]
  const moved = save(save(shared, first).load(), memoryStore())
  assert.deepEqual([...moved.load().entries()], [...shared.entries()])
})

test('store: an empty table has no rows', () => {
  const store = memoryStore()
  const { rows, rootId, load } = save(empty, store)
  assert.deepEqual({ rows, rootId }, { rows: [], rootId: 0 })
  assert.deepEqual([...load().entries()], [])
})

const corrupt = (id: number) => (error: unknown) =>
  error instanceof CorruptNodeError && error.code === 'CorruptNode' && error.details.id === id

test('store: a changed, cut or missing row is refused by its id', () => {
  const table = numbered(20)
  const store = memoryStore()
  const { load } = save(table, store)
  for (const [id, row] of [...store.rows]) {
    const touched = [...row.keys()].map((at) => row.with(at, (row[at] ?? 0) ^ 1))
    for (const bad of [undefined, row.subarray(0, -1), new Uint8Array([...row, 0]), ...touched]) {
      if (bad === undefined) store.rows.delete(id)
      else store.rows.set(id, bad)
      assert.throws(() => assert.deepEqual([...load().entries()], []), CorruptNodeError)
    }
    store.rows.set(id, row.subarray(0, 1))
    assert.throws(() => [...load().entries()], corrupt(id))
    store.rows.set(id, row)
  }
  assert.deepEqual([...load().entries()], [...table.entries()])
})

test('store: a wrong size is refused', () => {
  const store = memoryStore()
  const table = numbered(20)
  const { rootId } = save(table, store)
  for (const [hash, size] of [
    [table.root(), 21],
    [empty.root(), 1],
  ] as const)
    assert.throws(() => loadTable(texts, store.read, rootId, hash, size), corrupt(rootId))
})
