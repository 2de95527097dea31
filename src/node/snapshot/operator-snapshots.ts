import { join } from 'node:path'
import { type Disk, DomainError, type Hex, type Logger, type Store } from '#primitives'
import { appHash, type Constants, type Ledger, serviceState } from '#protocol'
import { l2Head, l2SnapshotItems, openSqliteReader, readL2Snapshot } from '#services/sequencer'
import type { LedgerApplication } from '../application.ts'
import type { LedgerKeeper } from '../ledger-keeper.ts'
import { recover } from '../native-recover.ts'
import { l2File, type SequencerHost, sequencerName } from '../sequencer-host.ts'
import { firstLeafIn, ledgerItems, readLedger, readOutbox } from './content.ts'
import { BadSnapshotError } from './format.ts'
import type { ItemReader } from './items.ts'
import { KeptSnapshots } from './kept.ts'
import { type SnapshotSource, Snapshots } from './snapshots.ts'

/** How often an operator takes snapshots, and how many it keeps. */
export type SnapshotChoice = { readonly everyBlocks: number; readonly kept: number }

/** What an operator's snapshots are made from. */
export type SnapshotParts = {
  readonly network: Hex
  readonly folder: string
  readonly disk: Disk
  readonly application: LedgerApplication
  readonly keeper: LedgerKeeper
  readonly sequencer: SequencerHost | undefined
  readonly logger: Logger
}

/** Opens an operator's snapshots; they follow its commits from now on. */
export async function openSnapshots(
  parts: SnapshotParts,
  { everyBlocks, kept: count }: SnapshotChoice,
): Promise<Snapshots> {
  const { disk, application, logger } = parts
  const kept = await KeptSnapshots.open(disk, count, logger)
  const snapshots = new Snapshots({ source: sourceOf(parts), kept, everyBlocks, logger })
  application.onCommitted(({ after, block }) => snapshots.committed(after, block.height))
  return snapshots
}

function sourceOf(parts: SnapshotParts): SnapshotSource {
  const { network, folder, application, keeper, sequencer } = parts
  return {
    network,
    height: () => application.height,
    restoredHeight: () => keeper.restoredHeight(),
    items(ledger) {
      const outbox = keeper.outbox.from(firstLeafIn(ledger))
      return concat(ledgerItems(ledger, outbox), sequencer ? l2Items(folder, ledger) : [])
    },
    restore: (items, height, hash) => restore(parts, items, height, hash),
  }
}

function* concat(...lists: readonly Iterable<Uint8Array>[]): Generator<Uint8Array> {
  for (const list of lists) yield* list
}

/** Through a connection of its own: the engine's threads do not wait for it. */
function* l2Items(folder: string, ledger: Ledger): Generator<Uint8Array> {
  const store: Store = openSqliteReader(join(folder, l2File))
  try {
    yield* l2SnapshotItems(store, l2Head(serviceState(ledger, sequencerName)).hash)
  } finally {
    store.close()
  }
}

/**
 * Everything is read twice: nothing of the operator is touched before all of it was checked. Then
 * the L2 comes first, which nobody sees before the ledger stands on it; a crash in between leaves
 * the ledger as it was.
 */
async function restore(
  { application, keeper, sequencer }: SnapshotParts,
  items: ItemReader,
  height: number,
  trusted: Hex,
): Promise<void> {
  const { ledger, outbox, l2 } = await checked(async () => {
    const read = await readTrusted(items, application.ledger.constants, trusted)
    const part = await readOutbox(items, read)
    const rest = items.fork()
    if (sequencer) {
      const head = l2Head(serviceState(read, sequencerName))
      await readL2Snapshot(
        () => items.next(),
        head,
        recover,
        async () => {},
      )
    }
    if (!items.isAtEnd()) throw new BadSnapshotError('more than belongs to it', {})
    return { ledger: read, outbox: part, l2: rest }
  })
  if (sequencer) {
    const head = l2Head(serviceState(ledger, sequencerName))
    await readL2Snapshot(
      () => l2.next(),
      head,
      recover,
      (part) => sequencer.engine.restore(part),
    )
  }
  application.resume(keeper.restore(ledger, height, outbox))
}

async function readTrusted(items: ItemReader, constants: Constants, trusted: Hex): Promise<Ledger> {
  const ledger = await readLedger(items, constants)
  const hash = appHash(ledger)
  if (hash !== trusted) throw new BadSnapshotError(`app hash ${hash} instead of ${trusted}`, {})
  return ledger
}

/** What a stranger made up may fail to decode in any way; a disk that fails is our own. */
async function checked<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof BadSnapshotError) throw cause
    if (cause instanceof DomainError && cause.code.startsWith('Disk')) throw cause
    throw new BadSnapshotError(cause instanceof Error ? cause.message : String(cause), {}, cause)
  }
}
