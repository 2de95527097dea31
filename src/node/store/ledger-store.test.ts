import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DomainError, fromHex, loadTable, tableCodec } from '#primitives'
import { appHash, emptyTables, type Ledger, type TableName, tableNames } from '#protocol'
import { headCodec, unseal } from './head.ts'
import { keptVersions, LedgerStore } from './ledger-store.ts'
import { blocksOfChanges, contentOf, genesisOfTest, withChanges } from './test-support/ledgers.ts'
import { createMemoryDatabase, type MemoryDatabase } from './test-support/memory-database.ts'

const { constants } = genesisOfTest
const owner = { network: constants.network, operator: 1 }

const openStore = (database: MemoryDatabase, kept = keptVersions) =>
  new LedgerStore(database, { ...owner, keptVersions: kept })

/** Saves a genesis and the ledgers after some blocks. */
function saveBlocks(
  database: MemoryDatabase,
  blocks: readonly Parameters<typeof withChanges>[1][],
) {
  const store = openStore(database)
  const ledgers = [genesisOfTest]
  store.save(genesisOfTest, 0)
  for (const [at, changes] of blocks.entries()) {
    const ledger = withChanges(ledgers.at(-1) as Ledger, changes)
    store.save(ledger, at + 1)
    ledgers.push(ledger)
  }
  return ledgers
}

const set = (key: string, value: number) => ({ table: 'states' as const, key, value })

const refusedNaming = (file: string, code?: string) => (error: unknown) =>
  error instanceof DomainError &&
  error.message.includes(file) &&
  error.message.includes('restore the folder from a backup') &&
  (code === undefined || error.code === code)

test('ledger store: load(save) gives the same ledger, however often the process restarts', () =>
  fc.assert(
    fc.property(
      blocksOfChanges,
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      (blocks, restarts, kept) => {
        let database = createMemoryDatabase()
        let store = openStore(database, kept)
        assert.equal(store.load(constants), undefined)
        let ledger = genesisOfTest
        let model = genesisOfTest
        store = openStore(database, kept)
        store.save(ledger, 0)
        for (const [at, changes] of blocks.entries()) {
          ledger = withChanges(ledger, changes)
          model = withChanges(model, changes)
          store.save(ledger, at + 1)
          if (!restarts[at]) continue
          database = createMemoryDatabase(database.snapshots.at(-1))
          store = openStore(database, kept)
          const loaded = store.load(constants)
          assert(loaded)
          assert.equal(loaded.height, at + 1)
          assert.equal(loaded.appHash, appHash(model))
          ledger = loaded.ledger
        }
        assert.deepEqual(contentOf(ledger), contentOf(model))
        assert.equal(appHash(ledger), appHash(model))
      },
    ),
    { numRuns: 60 },
  ))

test('ledger store: a crash between any two commits leaves the earlier ledger', () =>
  fc.assert(
    fc.property(blocksOfChanges, (blocks) => {
      const database = createMemoryDatabase()
      const ledgers = saveBlocks(database, blocks)
      const [claimed, ...saved] = database.snapshots
      assert.equal(openStore(createMemoryDatabase(claimed)).load(constants), undefined)
      assert.equal(saved.length, ledgers.length)
      for (const [height, snapshot] of saved.entries()) {
        const loaded = openStore(createMemoryDatabase(snapshot)).load(constants)
        assert.equal(loaded?.height, height)
        assert.deepEqual(contentOf(loaded.ledger), contentOf(ledgers[height] as Ledger))
      }
    }),
    { numRuns: 30 },
  ))

/** Ids of the nodes of one version, by the head that was stored with it. */
function nodesOf(database: MemoryDatabase, sealedHead: Uint8Array): Set<number> {
  const met = new Set<number>()
  const read = (id: number) => {
    met.add(id)
    return database.node(id)
  }
  const { roots } = unseal(headCodec, 'head', sealedHead, database.file)
  const empty = emptyTables()
  const readOne = (name: TableName, at: number) => {
    const { id, hash, size } = roots[at] as (typeof roots)[number]
    const codec = tableCodec<unknown>(empty[name] as never)
    for (const _ of loadTable(codec, read, id, fromHex(hash, 32), size).entries());
  }
  tableNames.forEach(readOne)
  return met
}

test('ledger store: holds the nodes of the last versions, all of them and no others', () =>
  fc.assert(
    fc.property(blocksOfChanges, fc.integer({ min: 1, max: 5 }), (blocks, kept) => {
      const database = createMemoryDatabase()
      const store = openStore(database, kept)
      let heads: Uint8Array[] = []
      let ledger = genesisOfTest
      for (const [height, changes] of [[], ...blocks].entries()) {
        const before = database.nodes.size
        const versions = versionOf(database)
        ledger = withChanges(ledger, changes)
        store.save(ledger, height)
        // A block that changes no table makes no version: its head takes the last one's place.
        if (versions === versionOf(database)) assert.equal(database.nodes.size, before)
        const kept0 = versions === versionOf(database) ? heads.slice(0, -1) : heads
        heads = [...kept0, database.value('head') as Uint8Array].slice(-kept)
        const needed = heads.map((head) => nodesOf(database, head))
        const all = new Set(needed.flatMap((ids) => [...ids]))
        assert.deepEqual(new Set(database.nodes.keys()), all)
        assert(database.values.size <= 2 + kept)
      }
    }),
    { numRuns: 60 },
  ))

function versionOf(database: MemoryDatabase): number {
  const head = database.value('head')
  return head ? unseal(headCodec, 'head', head, database.file).version : 0
}

test('ledger store: a block without changes writes its height and nothing else', () => {
  const database = createMemoryDatabase()
  const store = openStore(database)
  store.save(genesisOfTest, 0)
  const { nodes, values } = database.snapshots.at(-1) ?? assert.fail()
  store.save(genesisOfTest, 1)
  assert.deepEqual([...database.nodes], [...nodes])
  assert.deepEqual([...database.values.keys()], [...values.keys()])
  assert.equal(openStore(database).load(constants)?.height, 1)
})

test('ledger store: any flipped byte of any row is refused and names the file', () => {
  const database = createMemoryDatabase()
  const store = openStore(database, 1)
  store.save(withChanges(genesisOfTest, [set('a', 1), set('b', 2), set('c', 3)]), 0)
  const good = database.snapshots.at(-1) ?? assert.fail()
  const refuse = (change: (bad: MemoryDatabase) => void) => {
    const bad = createMemoryDatabase(good)
    change(bad)
    assert.throws(() => {
      contentOf(openStore(bad, 1).load(constants)?.ledger ?? assert.fail('an empty store'))
    }, refusedNaming(database.file))
  }
  const flipped = (row: Uint8Array, at: number) => row.with(at, (row[at] ?? 0) ^ 0x10)
  for (const [id, row] of good.nodes) {
    refuse((bad) => bad.nodes.delete(id))
    for (let at = 0; at < row.length; at += 7)
      // A branch holds its children's ids beside their hashes: a wrong id leads to a wrong row.
      refuse((bad) => bad.nodes.set(id, flipped(row, at)))
  }
  for (const [name, row] of good.values) {
    refuse((bad) => bad.values.delete(name))
    for (const at of row.keys()) refuse((bad) => bad.values.set(name, flipped(row, at)))
  }
})

test('ledger store: nodes that are newer than the head are refused', () => {
  const database = createMemoryDatabase()
  saveBlocks(database, [[set('a', 1)], [set('b', 1)]])
  const [, , old] = database.snapshots
  database.values.set('head', old?.values.get('head') ?? assert.fail())
  assert.throws(() => openStore(database).load(constants), refusedNaming(database.file))
})

test('ledger store: a damaged list of replaced nodes drops none of them', () => {
  const database = createMemoryDatabase()
  const store = openStore(database, 2)
  const genesis = withChanges(genesisOfTest, [set('a', 0)])
  store.save(genesis, 0)
  const first = withChanges(genesis, [set('a', 1)])
  store.save(first, 1)
  const row = database.values.get('replaced 2') ?? assert.fail()
  const nodes = database.nodes.size
  const second = withChanges(first, [set('a', 2)])
  for (const bad of [undefined, row.with(40, 1), row.subarray(0, -1)]) {
    const damaged = createMemoryDatabase(database.snapshots.at(-1))
    if (bad) damaged.values.set('replaced 2', bad)
    else damaged.values.delete('replaced 2')
    const reopened = openStore(damaged, 2)
    const { ledger } = reopened.load(constants) ?? assert.fail()
    assert.throws(
      () => reopened.save(withChanges(ledger, [set('a', 2)]), 2),
      refusedNaming(database.file, 'CorruptStore'),
    )
    assert.equal(damaged.nodes.size, nodes)
  }
  store.save(second, 2)
  assert(!database.values.has('replaced 2'))
})

test("ledger store: another network's, operator's or version's file is refused and left alone", () => {
  const database = createMemoryDatabase()
  saveBlocks(database, [[set('a', 1)]])
  const commits = database.snapshots.length
  const wrong = [
    { network: constants.network, operator: 2 },
    { network: `0x${'77'.repeat(32)}` as const, operator: 1 },
  ]
  for (const other of wrong)
    assert.throws(
      () => new LedgerStore(database, other),
      (error) =>
        error instanceof DomainError &&
        error.code === 'WrongLedger' &&
        error.message.includes(database.file) &&
        error.message.includes('its own data folder'),
    )
  assert.equal(database.snapshots.length, commits)
})

test('ledger store: after a failed commit it takes nothing more, and the last ledger is there', () => {
  const database = createMemoryDatabase()
  const ledgers = saveBlocks(database, [[set('a', 1)]])
  const store = openStore(database)
  const { ledger } = store.load(constants) ?? assert.fail()
  database.failNext(new Error('disk full'))
  const next = withChanges(ledger, [set('b', 1)])
  assert.throws(() => store.save(next, 2), /disk full/)
  assert.throws(() => store.save(next, 2), /takes nothing more/)
  const loaded = openStore(createMemoryDatabase(database.snapshots.at(-1))).load(constants)
  assert.deepEqual(contentOf(loaded?.ledger ?? assert.fail()), contentOf(ledgers[1] as Ledger))
})

test('ledger store: heights that do not go up are a defect', () => {
  const store = openStore(createMemoryDatabase())
  store.save(genesisOfTest, 3)
  assert.throws(() => store.save(genesisOfTest, 3), /go up/)
})
