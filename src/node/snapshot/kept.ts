import type { Snapshot } from '#consensus'
import type { Disk, DiskFile, Logger } from '#primitives'
import {
  chunkBytes,
  decodeMetadata,
  encodeMetadata,
  type SnapshotMetadata,
  snapshotFormat,
  snapshotHash,
} from './format.ts'

/** The snapshots' folder in the operator's. */
export const snapshotFolder = 'snapshots'

/** What is being written, and what is being fetched: neither outlives its process. */
const drafts = { taken: 'taking', fetched: 'fetching' } as const

type Kept = { readonly snapshot: Snapshot; readonly file: DiskFile }

const dataFile = (height: number): string => `${snapshotFolder}/${height}.data`
const metadataFile = (height: number): string => `${snapshotFolder}/${height}.metadata`

/**
 * The snapshots in an operator's folder. The newest are kept, up to a number, and as many more that
 * somebody has asked for since the last was taken: who fetches one that goes waits for minutes
 * before CometBFT takes another.
 */
export class KeptSnapshots {
  readonly #disk: Disk
  readonly #count: number
  readonly #kept = new Map<number, Kept>()
  /** Heights that chunks were asked for of, since the last one was added. */
  readonly #asked = new Set<number>()

  private constructor(disk: Disk, count: number) {
    this.#disk = disk
    this.#count = count
  }

  /** Opens the folder; what a killed process has left half-done goes, and what cannot be read. */
  static async open(disk: Disk, count: number, logger: Logger): Promise<KeptSnapshots> {
    await disk.makeFolder(snapshotFolder)
    const snapshots = new KeptSnapshots(disk, count)
    const names = new Set(await disk.list(snapshotFolder))
    for (const name of names) {
      const [, digits, kind] = /^(\d+)\.(data|metadata)$/.exec(name) ?? []
      const height = Number(digits)
      const isWhole = names.has(`${height}.metadata`) && names.has(`${height}.data`)
      if (kind === 'metadata' && isWhole && (await snapshots.#take(height, logger))) continue
      if (kind === 'data' && isWhole) continue
      await disk.remove(`${snapshotFolder}/${name}`)
    }
    return snapshots
  }

  /** The newest first. */
  list(): readonly Snapshot[] {
    return [...this.#kept.values()]
      .map(({ snapshot }) => snapshot)
      .sort((a, b) => b.height - a.height)
  }

  /** A chunk; undefined when there is none. */
  async load(height: number, chunk: number): Promise<Uint8Array | undefined> {
    const kept = this.#kept.get(height)
    if (!kept || chunk >= kept.snapshot.chunks) return undefined
    this.#asked.add(height)
    return kept.file.read(chunk * chunkBytes, chunkBytes)
  }

  /** An empty file to write a snapshot into. */
  openDraft(kind: keyof typeof drafts): Promise<DiskFile> {
    return openEmpty(this.#disk, `${snapshotFolder}/${drafts[kind]}`)
  }

  async removeDraft(kind: keyof typeof drafts): Promise<void> {
    await this.#disk.remove(`${snapshotFolder}/${drafts[kind]}`)
  }

  /** Keeps what was written into the draft, which is synced; older ones go. */
  async add(metadata: SnapshotMetadata, logger: Logger): Promise<void> {
    const { height } = metadata
    const disk = this.#disk
    await disk.rename(`${snapshotFolder}/${drafts.taken}`, dataFile(height))
    const file = await openEmpty(disk, metadataFile(height))
    await file.write(0, encodeMetadata(metadata))
    await file.sync()
    await file.close()
    await disk.syncFolder(snapshotFolder)
    await this.#take(height, logger)
    await this.#dropOld()
  }

  async close(): Promise<void> {
    for (const { file } of this.#kept.values()) await file.close()
    this.#kept.clear()
  }

  async #dropOld(): Promise<void> {
    const old = this.list().slice(this.#count)
    const fetched = old.filter(({ height }) => this.#asked.has(height)).slice(0, this.#count)
    this.#asked.clear()
    for (const one of old) if (!fetched.includes(one)) await this.#drop(one.height)
  }

  async #drop(height: number): Promise<void> {
    await this.#kept.get(height)?.file.close()
    this.#kept.delete(height)
    await this.#disk.remove(metadataFile(height))
    await this.#disk.remove(dataFile(height))
  }

  async #take(height: number, logger: Logger): Promise<boolean> {
    const file = await this.#disk.open(metadataFile(height))
    const metadata = await file.read(0, await file.size())
    await file.close()
    try {
      const { chunkHashes } = decodeMetadata(metadata)
      const snapshot = {
        ...{ height, format: snapshotFormat, chunks: chunkHashes.length },
        ...{ hash: snapshotHash(metadata), metadata },
      }
      this.#kept.set(height, { snapshot, file: await this.#disk.open(dataFile(height)) })
      return true
    } catch (error) {
      logger.warn('a snapshot cannot be read: it is removed', { height, error })
      await this.#disk.remove(dataFile(height))
      return false
    }
  }
}

async function openEmpty(disk: Disk, path: string): Promise<DiskFile> {
  const file = await disk.open(path)
  await file.truncate(0)
  return file
}
