import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { DomainError } from '#primitives'
import { appHash, type Ledger } from '#protocol'
import { LedgerStore } from './ledger-store.ts'
import { openSqliteDatabase } from './sqlite-database.ts'
import { contentOf, genesisOfTest, withChanges } from './test-support/ledgers.ts'

const folder = mkdtempSync(join(tmpdir(), 'nodeop-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const { constants } = genesisOfTest
let files = 0
const newFile = () => join(folder, `${files++}.db`)

const openStore = (file: string) =>
  new LedgerStore(openSqliteDatabase({ file, durable: false }), {
    network: constants.network,
    operator: 1,
    keptVersions: 2,
  })

/** A few blocks, each of which touches old entries and adds new ones. */
function ledgersOf(blocks: number): Ledger[] {
  const ledgers = [genesisOfTest]
  for (let block = 1; block <= blocks; block++) {
    const changes = Array.from({ length: 12 }, (_, i) => {
      const key = `key ${(block * 5 + i) % 40}`
      return { table: 'states' as const, key, value: block + i }
    })
    ledgers.push(withChanges(ledgers.at(-1) as Ledger, changes))
  }
  return ledgers
}

/** Loads a file and reads all of it. */
function contentOfFile(file: string) {
  const store = openStore(file)
  try {
    const loaded = store.load(constants)
    return loaded && { height: loaded.height, content: contentOf(loaded.ledger) }
  } finally {
    store.close()
  }
}

const withCode = (code: string, file: string) => (error: unknown) =>
  error instanceof DomainError && error.code === code && error.message.includes(file)

test('sqlite database: a ledger survives closing and opening, and goes on', () => {
  const file = newFile()
  const ledgers = ledgersOf(6)
  for (const [height, ledger] of ledgers.entries()) {
    const store = openStore(file)
    const loaded = store.load(constants)
    assert.equal(loaded?.height, height === 0 ? undefined : height - 1)
    // What is loaded and changed is what was never away.
    const next = loaded && height > 0 ? replay(loaded.ledger, ledgers, height) : ledger
    store.save(next, height)
    assert.equal(appHash(next), appHash(ledger))
    store.close()
  }
  assert.deepEqual(contentOfFile(file), {
    height: 6,
    content: contentOf(ledgers[6] as Ledger),
  })
})

function replay(loaded: Ledger, ledgers: readonly Ledger[], height: number): Ledger {
  const { states, chain } = ledgers[height] as Ledger
  let own = loaded.states
  for (const [key, value] of states.entries()) own = own.set(key, value)
  return { ...loaded, states: own, chain }
}

test('sqlite database: only its owner may read the file', () => {
  const file = newFile()
  openStore(file).close()
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test('sqlite database: a second opening is refused while the first lives', () => {
  const file = newFile()
  const store = openStore(file)
  assert.throws(() => openStore(file), withCode('FolderInUse', file))
  store.save(genesisOfTest, 0)
  store.close()
  assert.equal(contentOfFile(file)?.height, 0)
})

test('sqlite database: a folder that is not there and a file that is none are named', () => {
  const lost = join(folder, 'nowhere', 'ledger.db')
  assert.throws(() => openStore(lost), withCode('DiskFailed', lost))
  assert.throws(() => openStore(folder), withCode('DiskFailed', folder))
  const text = newFile()
  writeFileSync(text, 'not a database, but a text of some length\n'.repeat(20))
  assert.throws(() => openStore(text), withCode('CorruptStore', text))
  assert.match(readFileSync(text, 'utf8'), /^not a database/)
})

test('sqlite database: a copy is taken while commits go on, and opens as a store', async () => {
  const file = newFile()
  const ledgers = ledgersOf(3)
  const store = openStore(file)
  store.save(ledgers[0] as Ledger, 0)
  store.save(ledgers[1] as Ledger, 1)
  const copy = newFile()
  const copying = store.copyTo(copy)
  store.save(ledgers[2] as Ledger, 2)
  await copying
  store.save(ledgers[3] as Ledger, 3)
  store.close()
  const height = contentOfFile(copy)?.height ?? assert.fail('an empty copy')
  assert(height === 1 || height === 2)
  assert.deepEqual(contentOfFile(copy)?.content, contentOf(ledgers[height] as Ledger))
})

/** A store's file and its log as a killed process leaves them. */
function killed(blocks: number) {
  const ledgers = ledgersOf(blocks)
  const file = newFile()
  const store = openStore(file)
  for (const [height, ledger] of ledgers.entries()) store.save(ledger, height)
  const left = { database: readFileSync(file), log: readFileSync(`${file}-wal`) }
  store.close()
  return { ledgers, left, closed: readFileSync(file) }
}

/** What is read from damaged files: a height, or the code of the error that named the file. */
function outcome(database: Uint8Array, log: Uint8Array | undefined, ledgers: readonly Ledger[]) {
  const file = newFile()
  writeFileSync(file, database)
  if (log) writeFileSync(`${file}-wal`, log)
  try {
    const found = contentOfFile(file)
    if (!found) return 'empty'
    assert.deepEqual(found.content, contentOf(ledgers[found.height] as Ledger))
    return found.height
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    assert(error.message.includes(file), error.message)
    return error.code
  } finally {
    for (const end of ['', '-wal', '-journal']) rmSync(`${file}${end}`, { force: true })
  }
}

test('sqlite database: a log that is cut or flipped anywhere leaves an earlier ledger', () => {
  const { ledgers, left } = killed(8)
  const outcomes = new Set<unknown>()
  const { database, log } = left
  for (let at = 0; at < log.length; at += Math.ceil(log.length / 90)) {
    outcomes.add(outcome(database, log.subarray(0, at), ledgers))
    outcomes.add(outcome(database, Buffer.from(log).fill((log[at] ?? 0) ^ 4, at, at + 1), ledgers))
  }
  assert.equal(outcome(database, log, ledgers), 8)
  for (const found of outcomes) assert(found === 'empty' || typeof found === 'number', `${found}`)
  assert(outcomes.size > 5, 'cuts reach several heights')
})

test('sqlite database: a byte flipped anywhere in the file is harmless or refused', () => {
  const { ledgers, closed } = killed(3)
  const seen = new Map<unknown, number>()
  for (let at = 0; at < closed.length; at += 61) {
    const bad = Buffer.from(closed)
    bad.writeUInt8((bad[at] ?? 0) ^ 0x41, at)
    const found = outcome(bad, undefined, ledgers)
    seen.set(found, (seen.get(found) ?? 0) + 1)
  }
  const allowed = new Set<unknown>([3, 'CorruptNode', 'CorruptStore', 'DiskDenied'])
  for (const found of seen.keys()) assert(allowed.has(found), `${found}`)
  assert((seen.get('CorruptNode') ?? 0) > 5 && (seen.get('CorruptStore') ?? 0) > 2)
})

test('sqlite database: a file that is cut short is refused, or as good as a removed one', () => {
  const { ledgers, closed } = killed(3)
  for (const length of [
    1,
    100,
    511,
    512,
    4095,
    4096,
    8192,
    closed.length - 4096,
    closed.length - 1,
  ]) {
    const found = outcome(closed.subarray(0, length), undefined, ledgers)
    const allowed = length < 100 ? ['empty'] : ['CorruptNode', 'CorruptStore']
    assert(allowed.includes(String(found)), `${length}: ${found}`)
  }
})
