import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { openFileBlockStore } from '#consensus'
import { createDisk, LedgerStore, openSqliteDatabase } from '#node'
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
  const logger = silentLogger
  try {
    const figures: Figure[] = []
    for (const size of sizes) figures.push(commits(folder, size))
    const disk = createDisk(folder)
    await fillBlocks({ ...disk, open: (path) => unsynced(disk, path) })
    const ours = await timed(async () => {
      const blocks = await openFileBlockStore('blocks.log', genesis.constants.network, logger, disk)
      if (!(await blocks.load(blocks.height()))) throw new Error('defect: the last block is stored')
      await blocks.close()
      const opened = openOurs(folder, startRecords)
      const ledger = opened.load(genesis.constants)?.ledger
      if (ledger?.accounts.get(keyOf(7)) === undefined) throw new Error('defect: a stored record')
      opened.close()
    })
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

const startRecords = sizes[1]

const notes = [
  `commit-ms@N: median of ${rounds} commits of ${changed} changed records of N, ours and the peer's in`,
  'turn, both in SQLite in WAL mode with synchronous = NORMAL; ours from a file that was just opened,',
  'with hashing, the root and the nodes that are dropped; the peer keeps no root.',
  `start-s: opening ${startBlocks} blocks and a ledger of ${startRecords} records; the peer opens the`,
  'records alone.',
]

const genesis: Ledger = new LedgerNetwork(operators).ledger

const keyOf = (index: number): `0x${string}` =>
  toHex(sha256(utf8('account'), uint64Bytes(index)).subarray(0, 20))

const openOurs = (folder: string, size: number) =>
  new LedgerStore(
    openSqliteDatabase({ file: join(folder, `ledger-${size}.sqlite`), durable: false }),
    { network: genesis.constants.network, operator: 1 },
  )

function openPeer(folder: string, size: number): DatabaseSync {
  const database = new DatabaseSync(join(folder, `peer-${size}.sqlite`))
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
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
  ours.save(withBalances(genesis, places, 0), 1)
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
