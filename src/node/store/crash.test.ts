// The two databases of an operator lose their power at every step of a few commits.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { bytesToBigint, type Store, sha256, toHex, uint64Bytes, utf8, wei } from '#primitives'
import type { Ledger } from '#protocol'
import { openSqliteStore } from '#services/sequencer'
import { createFaultyDatabases } from '../../../test/support/faulty-databases.ts'
import {
  CrashedError,
  createFaultyDisk,
  type FaultyDisk,
  type When,
} from '../../../test/support/faulty-disk.ts'
import { LedgerNetwork } from '../../../test/support/ledger-network.ts'
import type { LedgerDatabase } from './database.ts'
import { LedgerStore } from './ledger-store.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const base = mkdtempSync(join(tmpdir(), 'nodeop-databases-'))
after(() => rmSync(base, { recursive: true }))

const genesis: Ledger = new LedgerNetwork(4).ledger
const headKey = utf8('head')

/** The ledger of a height: one account more than that of the height before. */
const grown = (ledger: Ledger, height: number): Ledger => ({
  ...ledger,
  accounts: ledger.accounts.set(
    toHex(sha256(uint64Bytes(height)).subarray(0, 20)),
    wei(BigInt(height)),
  ),
})

const roots: string[] = []
for (let height = 0, ledger = genesis; height <= 20; ledger = grown(ledger, ++height))
  roots[height] = toHex(ledger.accounts.root())

/** How the two are committed: what the operator does, and what a control does instead. */
type Habits = { readonly order: 'engine first' | 'ledger first' }

/** A life on what the disk holds: whatever it opens is closed; a crash ends it. */
function live(disk: FaultyDisk, acknowledged: number, habits: Habits): number {
  const opened: { close(): void }[] = []
  const progress = { acknowledged }
  try {
    work(disk, progress, habits, (one) => {
      opened.push(one)
      return one
    })
  } catch (error) {
    if (!(error instanceof CrashedError)) throw error
  } finally {
    for (const one of opened) one.close()
  }
  return progress.acknowledged
}

/** Opens both databases, checks them against each other, and commits two blocks. */
function work(
  disk: FaultyDisk,
  progress: { acknowledged: number },
  { order }: Habits,
  keep: <T extends { close(): void }>(opened: T) => T,
): void {
  const path = (file: string) => join(disk.databaseFolder(), file)
  const engine = keep(openSqliteStore({ file: path(l2), durable: true }))
  const database = keep(openSqliteDatabase({ file: path(own), durable: true }))
  const commit: LedgerDatabase['commit'] = (changes) =>
    disk.commit(own, () => database.commit(changes))
  const owner = { network: genesis.constants.network, operator: 1 }
  const store = new LedgerStore({ ...database, commit }, owner)
  let { ledger, height } = store.load(genesis.constants) ?? { ledger: genesis, height: 0 }
  assert(height >= progress.acknowledged, `${height}, acknowledged ${progress.acknowledged}`)
  assert.equal(toHex(ledger.accounts.root()), roots[height])
  assert(executed(engine) >= height, 'the engine has what the ledger stands on')
  for (let done = 0; done < 2; done++) {
    height++
    ledger = grown(ledger, height)
    const execute = () => disk.commit(l2, () => engine.putBatch([[headKey, uint64Bytes(height)]]))
    if (order === 'engine first') execute()
    store.save(ledger, height)
    if (order === 'ledger first') execute()
    progress.acknowledged = height
  }
}

const [l2, own] = ['l2.sqlite', 'ledger.sqlite']

const executed = (engine: Store): number => Number(bytesToBigint(engine.get(headKey) ?? utf8('')))

const ways = (['before', 'after'] as const).flatMap((when) =>
  (['afterPowerCut', 'afterKill'] as const).map((end) => ({ when, end })),
)

/** Crashes once at each step of a life, on one disk that goes on. */
function crashEverywhere(seed: number, when: When, end: (typeof ways)[number]['end'], way = {}) {
  const { syncs, order } = { syncs: 'kept', order: 'engine first', ...way } as const
  const root = join(base, `${seed}-${when}-${end}-${syncs}-${order}`)
  let disk = createFaultyDisk(seed, undefined, createFaultyDatabases(root, syncs))
  let acknowledged = 0
  for (let step = 0; step < 10; step++) {
    disk.crashAt(step, when)
    acknowledged = live(disk, acknowledged, { order })
    disk.end()
    disk = disk[end]()
  }
  assert(acknowledged >= 2 && acknowledged < roots.length)
}

for (const { when, end } of ways)
  test(`databases: ${end} ${when} each step, nothing acknowledged is lost, and no part is ahead`, () =>
    [1, 2].forEach((seed) => void crashEverywhere(seed, when, end)))

test('databases: without syncs, or with the ledger first, that does not hold', () => {
  const isCaught = (way: object) =>
    [1, 2, 3, 4, 5, 6].some((seed) => {
      try {
        crashEverywhere(seed, 'after', 'afterPowerCut', way)
        return false
      } catch {
        return true
      }
    })
  assert(isCaught({ syncs: 'ignored' }))
  assert(isCaught({ order: 'ledger first' }))
})
