import { maxBlockBytes, openRecordFile, ownerHeader, whoseFile } from '#consensus'
import { type Disk, type Hex, type Logger, setBounded } from '#primitives'
import { bool, byteList, type Codec, decode, encode, hash32, record, tagged, text } from '#records'

/** A transaction that this operator has promised to bring into a block, or how it ended instead. */
export type JournalRecord =
  | { readonly kind: 'accepted'; readonly id: Hex; readonly transaction: Uint8Array }
  | ({ readonly kind: 'ended' } & Ending)

/** Why an accepted transaction will never be in a block. */
export type Ending = { readonly id: Hex; readonly isTask: boolean; readonly reason: string }

/** What has become of an accepted transaction. */
export type Fate = 'waits' | 'included' | Ending

/**
 * What a gateway has accepted, on disk before it says so: it outlives the process, and is proposed
 * again by the next one.
 */
export type Journal = {
  /** Accepted by this process or an earlier one, oldest first; some may have ended since. */
  accepted(): ReadonlyMap<Hex, Uint8Array>
  /** How accepted transactions ended that are in no block, as far as is remembered. */
  endings(): ReadonlyMap<Hex, Ending>
  /** Durable when it resolves; one sync for all that come at a time. Twice is once. */
  accept(id: Hex, transaction: Uint8Array): Promise<void>
  /** Remembers why an accepted transaction ended; durable with the next acceptance. */
  end(ending: Ending): void
  /** Forgets what no longer waits, when the file has grown long. */
  tidy(fateOf: (id: Hex, transaction: Uint8Array) => Fate): Promise<void>
  close(): Promise<void>
}

/** The journal's file in the operator's folder. */
export const journalFile = 'accepted.log'

/**
 * Bytes by which the file grows before it is written anew, however many processes write to it: a
 * start offers again what the file holds, so that a long one makes for a slow start.
 */
const defaultTidyBytes = 256 * 1024

/** Endings that are remembered, the oldest forgotten first; `docs/guides/json-rpc.md` says so. */
const maxEndings = 4_096

/**
 * Opens an operator's journal, or begins one. What was not written to its end was not promised.
 *
 * @throws WrongFileError, CorruptFileError, and the disk's own errors.
 */
export async function openJournal(options: {
  readonly disk: Disk
  /** The operator's consensus key says whose the journal is. */
  readonly owner: { readonly networkId: Hex; readonly validator: Hex }
  readonly logger: Logger
  readonly tidyBytes?: number
}): Promise<Journal> {
  const { disk, logger, tidyBytes = defaultTidyBytes } = options
  const owner = { version: 1, ...options.owner }
  const accepted = new Map<Hex, Uint8Array>()
  const endings = new Map<Hex, Ending>()
  const take = (entry: JournalRecord) => {
    if (entry.kind === 'accepted') {
      endings.delete(entry.id)
      accepted.set(entry.id, entry.transaction)
    } else {
      accepted.delete(entry.id)
      const { kind: _, ...ending } = entry
      setBounded(endings, entry.id, ending, maxEndings)
    }
  }
  const file = await openRecordFile({
    ...{ disk, path: journalFile, logger, header: ownerHeader(owner), whose: whoseFile(owner) },
    onDamage: 'keep-prefix',
    remedy: 'move it away and start again: what it held is lost unless a peer proposes it',
    onRecord: (payload) => take(decode(recordCodec, payload)),
  })
  let limitBytes = tidyBytes
  const write = (entry: JournalRecord) => {
    take(entry)
    file.append(encode(recordCodec, entry))
  }
  return {
    accepted: () => accepted,
    endings: () => endings,
    accept(id, transaction) {
      if (!accepted.has(id)) write({ kind: 'accepted', id, transaction })
      return file.sync()
    },
    end: (ending) => write({ kind: 'ended', ...ending }),
    async tidy(fateOf) {
      if (file.sizeBytes() < limitBytes) return
      limitBytes = Number.POSITIVE_INFINITY
      await file.rewrite(() => {
        for (const [id, transaction] of [...accepted]) {
          const fate = fateOf(id, transaction)
          if (fate === 'included') accepted.delete(id)
          else if (fate !== 'waits') take({ kind: 'ended', ...fate })
        }
        return contentOf(accepted, endings)
      })
      limitBytes = file.sizeBytes() + tidyBytes
    },
    close: () => file.close(),
  }
}

const contentOf = (
  accepted: ReadonlyMap<Hex, Uint8Array>,
  endings: ReadonlyMap<Hex, Ending>,
): readonly Uint8Array[] => [
  ...[...endings.values()].map((ending) => encode(recordCodec, { kind: 'ended', ...ending })),
  ...[...accepted].map(([id, transaction]) =>
    encode(recordCodec, { kind: 'accepted', id, transaction }),
  ),
]

const recordCodec: Codec<JournalRecord> = tagged<JournalRecord>({
  accepted: record({ id: hash32, transaction: byteList(maxBlockBytes) }),
  ended: record({ id: hash32, isTask: bool, reason: text(128) }),
})
