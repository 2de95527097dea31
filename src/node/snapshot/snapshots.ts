import type { ChunkFault, OfferFault, Snapshot, SnapshotPort, SnapshotVerdict } from '#consensus'
import { type DiskFile, DomainError, type Hex, type Logger, sha256Hex } from '#primitives'
import type { Ledger } from '#protocol'
import {
  BadSnapshotError,
  chunkBytes,
  decodeMetadata,
  type SnapshotMetadata,
  snapshotFormat,
  snapshotHash,
} from './format.ts'
import { type ItemReader, readItems, writeItems } from './items.ts'
import type { KeptSnapshots } from './kept.ts'

/** What snapshots are made of, and what begins from one. */
export type SnapshotSource = {
  readonly network: Hex
  /** Height of the ledger, and of the snapshot that it began from. */
  height(): number
  restoredHeight(): number | undefined
  /**
   * All that another operator needs to go on from the ledger, the one of the last block. It is read
   * as it is asked for, while blocks go on.
   */
  items(ledger: Ledger): Iterable<Uint8Array>
  /**
   * Reads and checks all items, and only then goes on from them.
   *
   * @throws BadSnapshotError, and the stores' own errors.
   */
  restore(items: ItemReader, height: number, appHash: Hex): Promise<void>
}

/** A snapshot that is being fetched. */
type Fetched = {
  readonly metadata: SnapshotMetadata
  readonly appHash: Hex
  readonly file: DiskFile
  next: number
}

/** One operator's snapshots: taken every so many blocks, given to others, or begun from. */
export class Snapshots implements SnapshotPort {
  readonly #source: SnapshotSource
  readonly #kept: KeptSnapshots
  readonly #everyBlocks: number
  readonly #logger: Logger
  #taking: Promise<void> | undefined
  #fetched: Fetched | undefined
  #isStopped = false

  /** @param options.everyBlocks - 0: none is taken. */
  constructor(options: {
    readonly source: SnapshotSource
    readonly kept: KeptSnapshots
    readonly everyBlocks: number
    readonly logger: Logger
  }) {
    this.#source = options.source
    this.#kept = options.kept
    this.#everyBlocks = options.everyBlocks
    this.#logger = options.logger
  }

  /** To be told of each committed block: takes a snapshot when it is time, beside what goes on. */
  committed(ledger: Ledger, height: number): void {
    if (this.#everyBlocks === 0 || height % this.#everyBlocks !== 0) return
    if (this.#taking || this.#isStopped) return
    this.#taking = this.take(ledger, height)
      .catch((error: unknown) => this.#logger.warn('no snapshot was taken', { height, error }))
      .finally(() => {
        this.#taking = undefined
      })
  }

  /** Takes a snapshot of the ledger of a height. */
  async take(ledger: Ledger, height: number): Promise<void> {
    const items = this.#source.items(ledger)
    const file = await this.#kept.openDraft('taken')
    const written = await writeItems(file, items, () => this.#isStopped).finally(() => file.close())
    if (!written) return
    await this.#kept.add({ network: this.#source.network, height, ...written }, this.#logger)
    this.#logger.info('a snapshot was taken', { height, bytes: written.bytes })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#taking
    await this.#fetched?.file.close()
    this.#fetched = undefined
    await this.#kept.close()
  }

  list(): readonly Snapshot[] {
    return this.#kept.list()
  }

  async load(height: number, format: number, chunk: number): Promise<Uint8Array | undefined> {
    if (format !== snapshotFormat) return undefined
    try {
      return await this.#kept.load(height, chunk)
    } catch (error) {
      this.#logger.warn('a chunk of a snapshot cannot be read', { height, chunk, error })
      return undefined
    }
  }

  async offer(snapshot: Snapshot, appHash: Hex): Promise<SnapshotVerdict<OfferFault>> {
    const { height, format, chunks, hash, metadata } = snapshot
    if (format !== snapshotFormat) return refused('SnapshotFormat', `format ${format}`)
    const own = this.#source.height()
    if (own > 0 && own !== this.#source.restoredHeight())
      return refused(
        'LedgerInUse',
        `CometBFT has no block and begins from a snapshot, but the ledger stands at block ${own}`,
      )
    const read = snapshotHash(metadata) === hash ? metadataOf(metadata) : undefined
    const isOurs = read?.network === this.#source.network && read.height === height
    if (!read || !isOurs || read.chunkHashes.length !== chunks)
      return refused('BadSnapshot', 'its metadata are not those of this snapshot')
    if (height < own) return refused('BadSnapshot', `block ${height} is before ${own}`)
    await this.#fetched?.file.close()
    const file = await this.#kept.openDraft('fetched')
    this.#fetched = { metadata: read, appHash, file, next: 0 }
    this.#logger.info('fetches a snapshot', { height, bytes: read.bytes })
    return { ok: true }
  }

  async apply(index: number, chunk: Uint8Array): Promise<SnapshotVerdict<ChunkFault>> {
    const fetched = this.#fetched
    if (!fetched || index !== fetched.next) return refused('NoSnapshotOffered', `chunk ${index}`)
    const { metadata, file } = fetched
    if (sha256Hex(chunk) !== metadata.chunkHashes[index])
      return refused('BadSnapshotChunk', `chunk ${index} of ${metadata.height}`)
    await file.write(index * chunkBytes, chunk)
    fetched.next++
    if (fetched.next < metadata.chunkHashes.length) return { ok: true }
    this.#fetched = undefined
    try {
      const items = readItems(file, metadata.bytes)
      await this.#source.restore(items, metadata.height, fetched.appHash)
      return { ok: true }
    } catch (error) {
      if (!(error instanceof BadSnapshotError)) throw error
      return refused('BadSnapshot', error.message)
    } finally {
      await file.close()
      await this.#kept.removeDraft('fetched')
    }
  }
}

function metadataOf(bytes: Uint8Array): SnapshotMetadata | undefined {
  try {
    return decodeMetadata(bytes)
  } catch (error) {
    if (error instanceof DomainError) return undefined
    throw error
  }
}

const refused = <Fault extends string>(reason: Fault, detail: string) =>
  ({ ok: false, reason, detail }) as const
