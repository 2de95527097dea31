import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { openFileBlockStore } from '#consensus'
import {
  createDisk,
  LedgerStore,
  ledgerFile,
  OutboxIndex,
  openLedgerKeeper,
  openSqliteDatabase,
} from '#node'
import {
  concatBytes,
  type Disk,
  sha256,
  sha256Hex,
  toHex,
  uint64Bytes,
  utf8,
  wei,
} from '#primitives'
import type { Ledger } from '#protocol'
import type { Leaf } from '#records'
import { createWorkerEngine, writeL2Genesis } from '#services/sequencer'
import { LedgerNetwork } from '../test/support/ledger-network.ts'
import { silentLogger } from '../test/support/manual-clock.ts'
import { cost, type Figure, type Report } from './figure.ts'

/** Records that one commit changes, and commits that are timed after the first ones. */
const changed = 1_000
const warmups = 3
const rounds = 15
const sizes = [10_000, 1_000_000] as const
const startBlocks = 100_000
/** A block of the devnet under light load, with the precommits of four operators. */
const blockBytes = 1_000
const operators = 4

/**
 * What an operator's disk costs: a commit of 1,000 changed records, and a start. The peer keeps the
 * same records in plain SQLite, in one table, without a root: nobody could prove or check anything.
 */
export async function store(): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-bench-store-'))
  try {
    const figures: Figure[] = []
    for (const size of sizes) figures.push(commits(folder, size))
    const disk = createDisk(folder)
    await fillBlocks({ ...disk, open: (path) => unsynced(disk, path) })
    renameSync(join(folder, oursOf(startRecords)), join(folder, ledgerFile))
    await (await openEngine(folder)).close() // writes its genesis
    const ours = await timed(() => startOurs(folder, disk))
    const peer = await timed(async () => {
      const database = openPeer(folder, startRecords)
      database.prepare('SELECT value FROM records WHERE key = ?').get(keyOf(7))
      database.close()
    })
    const seconds = (ms: number) => Math.round(ms * 10) / 10_000
    figures.push(
      cost('store', 'start-s', {
        ...{ ours: seconds(ours), peer: seconds(peer), unit: 's', n: operators },
      }),
    )
    return { figures, notes }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * What an operator opens before it takes part: blocks, the L2, the ledger and what is beside it.
 */
async function startOurs(folder: string, disk: Disk): Promise<void> {
  const { network } = genesis.constants
  const blocks = await openFileBlockStore('blocks.log', network, silentLogger, disk)
  const block = await blocks.load(blocks.height())
  const engine = await openEngine(folder)
  const { accounts } = await engine.accounts([keyOf(7)])
  const keeper = await openLedgerKeeper({
    ...{ folder, disk, genesis: world.genesis, environment: world.environment, operator: 1 },
    ...{ hasServices: async () => true, logger: silentLogger },
  })
  const record = keeper.stored?.ledger.accounts.get(keyOf(7))
  const path = keeper.outbox.prove(7, startLeaves)
  if (!block || !accounts[0]?.balance || record === undefined || path.length === 0)
    throw new Error('defect: everything was stored')
  keeper.close()
  await engine.close()
  await blocks.close()
}

const openEngine = (folder: string) =>
  createWorkerEngine({
    genesis: writeL2Genesis({
      chainId: 1,
      timestamp: 1,
      feeRecipient: keyOf(0),
      balances: Array.from({ length: l2Accounts }, (_, i) => [keyOf(i), 1n] as const),
    }),
    store: { file: join(folder, 'l2.sqlite'), durable: true },
    recoverModule: new URL('../src/node/native-recover.ts', import.meta.url).href,
  })

const startRecords = sizes[1]
/** A leaf a block, and people on the L2. */
const startLeaves = startBlocks
const l2Accounts = 10_000

const notes = [
  `commit-ms@N: median of ${rounds} commits of ${changed} changed records of N, ours and the peer's in`,
  'turn, both in SQLite in WAL mode with synchronous = FULL; ours from a file that was just opened,',
  'with hashing, the root and the nodes that are dropped; the peer keeps no root.',
  `start-s: opening ${startBlocks} blocks, a ledger of ${startRecords} records, an outbox of as many`,
  `leaves as blocks and an L2 of ${l2Accounts} accounts; the peer opens the records alone.`,
]

/** The outbox of an operator that has followed so many leaves. */
function leavesBeside() {
  const index = new OutboxIndex({ readBeside: () => undefined })
  const leafOf = (place: number): Leaf => ({
    ...{ index: place, service: 'sequencer', kind: 'block', rule: 'replicated', stakeWei: 0n },
    ...{ subject: sha256Hex(uint64Bytes(place)), agreeingWeight: 3, committeeWeight: 4 },
    body: new Uint8Array(64),
  })
  const leaves = { get: (place: string) => leafOf(Number(place)) }
  const after = { ...genesisOf(startLeaves), leaves } as unknown as Ledger
  return index.committed({ after, l1Events: [] })
}

/** The first ledger, with so many leaves in its outbox. */
const genesisOf = (leaves: number): Ledger => ({
  ...genesis,
  chain: { ...genesis.chain, outboxSize: leaves },
})

const world = new LedgerNetwork(operators)
const genesis: Ledger = world.ledger

const keyOf = (index: number): `0x${string}` =>
  toHex(sha256(utf8('account'), uint64Bytes(index)).subarray(0, 20))

const oursOf = (size: number): string => `ledger-${size}.sqlite`

const openOurs = (folder: string, size: number) =>
  new LedgerStore(openSqliteDatabase({ file: join(folder, oursOf(size)), durable: true }), {
    network: genesis.constants.network,
    operator: 1,
  })

function openPeer(folder: string, size: number): DatabaseSync {
  const database = new DatabaseSync(join(folder, `peer-${size}.sqlite`))
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA cache_size = -65536')
  database.exec(
    'CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID',
  )
  return database
}

/** Both stores with so many records, then commits in turn. */
function commits(folder: string, size: number): Figure {
  fill(folder, size)
  const ours = openOurs(folder, size)
  const peer = openPeer(folder, size)
  const loaded = ours.load(genesis.constants)
  if (!loaded) throw new Error('defect: it was filled')
  let { ledger, height } = loaded
  const times: { readonly ours: number[]; readonly peer: number[] } = { ours: [], peer: [] }
  for (let round = 0; round < warmups + rounds; round++) {
    const places = Array.from({ length: changed }, (_, i) => placeOf(round, i, size))
    ledger = withBalances(ledger, places, round)
    height += 1
    const oursMs = timedSync(() => ours.save(ledger, height))
    const peerMs = timedSync(() => writePeer(peer, places, round))
    if (round < warmups) continue
    times.ours.push(oursMs)
    times.peer.push(peerMs)
  }
  ours.close()
  peer.close()
  const figure = { ours: median(times.ours), peer: median(times.peer), unit: 'ms', n: operators }
  return cost('store', `commit-ms@${size}`, figure)
}

function fill(folder: string, size: number): void {
  const places = Array.from({ length: size }, (_, i) => i)
  const ours = openOurs(folder, size)
  const hasLeaves = size === startRecords
  const first = genesisOf(hasLeaves ? startLeaves : 0)
  ours.save(withBalances(first, places, 0), 1, hasLeaves ? leavesBeside() : [])
  ours.close()
  const peer = openPeer(folder, size)
  writePeer(peer, places, 0)
  peer.close()
}

/** Scattered over all records, others in each round. */
const placeOf = (round: number, i: number, size: number): number =>
  sha256(uint64Bytes(round), uint64Bytes(i)).reduce((sum, byte) => (sum * 256 + byte) % size, 0)

const withBalances = (ledger: Ledger, places: readonly number[], round: number): Ledger => {
  let { accounts } = ledger
  for (const place of places) accounts = accounts.set(keyOf(place), wei(balanceOf(place, round)))
  return { ...ledger, accounts }
}

const balanceOf = (place: number, round: number): bigint =>
  BigInt(place + 1) * 10n ** 15n + BigInt(round)

function writePeer(database: DatabaseSync, places: readonly number[], round: number): void {
  const write = database.prepare('INSERT OR REPLACE INTO records (key, value) VALUES (?, ?)')
  database.exec('BEGIN IMMEDIATE')
  for (const place of places) write.run(keyOf(place), balanceOf(place, round).toString())
  database.exec('COMMIT')
}

/** A file whose writes are not waited for: filling is not what is measured. */
async function unsynced(disk: Disk, path: string) {
  return { ...(await disk.open(path)), sync: async () => {} }
}

async function fillBlocks(disk: Disk): Promise<void> {
  const blocks = await openFileBlockStore(
    'blocks.log',
    genesis.constants.network,
    silentLogger,
    disk,
  )
  const proposer = sha256Hex(utf8('proposer'))
  const set = { members: [], totalPower: 0n, proposer, positions: new Map() }
  for (let height = 1; height <= startBlocks; height++)
    await blocks.save({
      ...{ height, appHash: sha256Hex(uint64Bytes(height)), validators: set },
      block: concatBytes(new Uint8Array(blockBytes - 8), uint64Bytes(height)),
      commit: { height, round: 0, value: proposer, signatures: [] },
      schedule: { current: set, next: set },
    })
  await blocks.close()
}

function timedSync(run: () => void): number {
  const startedMs = performance.now()
  run()
  return performance.now() - startedMs
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await run()
  return performance.now() - startedMs
}

const median = (values: readonly number[]): number => {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
  return Math.round(middle * 100) / 100
}
