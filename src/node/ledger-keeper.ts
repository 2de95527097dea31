import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Disk, Logger } from '#primitives'
import { type Environment, genesisLedger, type Ledger } from '#protocol'
import { type Genesis, networkId, type OperatorId, uint64 } from '#records'
import type { CommittedBlock } from './application.ts'
import { History, type L2BlockSummary } from './history.ts'
import { OutboxIndex } from './outbox-index.ts'
import type { OutboxPart } from './snapshot/content.ts'
import { beside } from './store/beside.ts'
import type { LedgerDatabase } from './store/database.ts'
import { LedgerStore, type StoredLedger } from './store/ledger-store.ts'
import { openSqliteDatabase } from './store/sqlite-database.ts'

/** The ledger's file in the operator's folder. */
export const ledgerFile = 'ledger.sqlite'

/** One operator's committed state, on disk and in memory: the ledger and what goes beside it. */
export type LedgerKeeper = {
  /** Where the last process ended; undefined before the first block. */
  readonly stored: StoredLedger | undefined
  readonly outbox: OutboxIndex
  readonly history: History
  /**
   * Takes a block into the indexes and puts everything on disk, in one transaction: durable when it
   * returns.
   *
   * @throws the store's errors: the operator has to end then.
   */
  keep(committed: CommittedBlock, l2: L2BlockSummary | undefined): void
  /**
   * Height of the snapshot that the ledger began from; undefined when it began from the genesis.
   */
  restoredHeight(): number | undefined
  /**
   * Puts a snapshot's ledger in place of the one that was there, all at once: durable when it
   * returns.
   *
   * @throws as `keep` does.
   */
  restore(ledger: Ledger, height: number, part: OutboxPart): StoredLedger
  close(): void
}

const restoredName = 'restored height'

/**
 * Opens what an operator keeps of its ledger. The services' own stores must hold what the ledger
 * says of them; when they do not, since they were lost or shared, everything is made again from the
 * blocks.
 *
 * @param options.hasServices - whether the services' stores hold what this ledger stands on.
 * @throws WrongLedgerError, CorruptStoreError, CorruptNodeError, and the database's own errors.
 */
export async function openLedgerKeeper(options: {
  readonly folder: string
  readonly disk: Pick<Disk, 'commit'>
  readonly genesis: Genesis
  readonly environment: Environment
  readonly operator: OperatorId
  /** Leaves that are kept at least, the newest; absent: all. */
  readonly keptLeaves?: number | undefined
  readonly hasServices: (stored: StoredLedger) => Promise<boolean>
  readonly logger: Logger
}): Promise<LedgerKeeper> {
  const opened = open(options)
  const { stored } = opened
  if (!stored || (await options.hasServices(stored).catch(closing(opened)))) return opened
  options.logger.warn('a service lacks what the ledger stands on: made again from the blocks', {
    height: stored.height,
  })
  opened.close()
  for (const suffix of ['', '-wal', '-shm', '-journal'])
    rmSync(join(options.folder, `${ledgerFile}${suffix}`), { force: true })
  return open(options)
}

const closing = (keeper: LedgerKeeper) => (error: unknown) => {
  keeper.close()
  throw error
}

function open(options: {
  readonly folder: string
  readonly disk: Pick<Disk, 'commit'>
  readonly genesis: Genesis
  readonly environment: Environment
  readonly operator: OperatorId
  readonly keptLeaves?: number | undefined
}): LedgerKeeper {
  const { folder, disk, genesis, environment, operator } = options
  const { keptLeaves = Number.POSITIVE_INFINITY } = options
  const opened = openSqliteDatabase({ file: join(folder, ledgerFile), durable: true })
  const database: LedgerDatabase = {
    ...opened,
    commit: (changes) => disk.commit(ledgerFile, () => opened.commit(changes)),
  }
  try {
    const store = new LedgerStore(database, { network: networkId(genesis), operator })
    const stored = store.load(genesisLedger(genesis, environment).constants)
    const size = stored?.ledger.chain.outboxSize ?? 0
    const outbox = new OutboxIndex(store, { size, keptLeaves })
    const history = new History()
    if (stored) history.load(store, stored.height)
    const keep = (committed: CommittedBlock, l2: L2BlockSummary | undefined) => {
      const leaves = outbox.committed(committed)
      const blocks = history.committed(committed, l2)
      store.save(committed.after, committed.block.height, [...leaves, ...blocks])
    }
    const restore = (ledger: Ledger, height: number, part: OutboxPart) => {
      const leaves = outbox.restore(part)
      return store.replace(ledger, height, [...leaves, beside(uint64, restoredName, height)])
    }
    const restoredHeight = () => store.readBeside(uint64, restoredName)
    return { stored, outbox, history, keep, restoredHeight, restore, close: () => store.close() }
  } catch (error) {
    database.close()
    throw error
  }
}
