import type { Disk, Hex, Logger } from '#primitives'
import { type Codec, decode, encode, hash32, record, tagged, uint32, uint64 } from '#records'
import type { Proposal, Timeout, Validity, Vote } from '../core/index.ts'
import { blockBytes, proposalCodec, timeoutCodec, validityCodec, voteCodec } from './codecs.ts'
import { ownerHeader, whoseFile } from './owner.ts'
import { openRecordFile } from './record-file.ts'

/** What a validator's consensus took in, in order: replaying it gives the same state. */
export type LogRecord =
  | { readonly kind: 'proposal'; readonly proposal: Proposal; readonly block: Uint8Array }
  | {
      readonly kind: 'validity'
      readonly height: number
      readonly round: number
      readonly value: Hex
      readonly validity: Validity
    }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'timeout'; readonly timeout: Timeout }
  /** The block of this height is stored: nothing before matters any more. */
  | { readonly kind: 'endHeight'; readonly height: number }

/** The write-ahead log. What an own message follows from is synced before it leaves. */
export type ConsensusLog = {
  /** What was durable when the log was opened. */
  replay(): readonly LogRecord[]
  /** Durable with the next `sync`. */
  append(record: LogRecord): void
  sync(): Promise<void>
  /** Marks a height as stored; may drop what came before. */
  endHeight(height: number): Promise<void>
  close(): Promise<void>
}

const recordCodec: Codec<LogRecord> = tagged<LogRecord>({
  proposal: record({ proposal: proposalCodec, block: blockBytes }),
  validity: record({ height: uint64, round: uint32, value: hash32, validity: validityCodec }),
  vote: record({ vote: voteCodec }),
  timeout: record({ timeout: timeoutCodec }),
  endHeight: record({ height: uint64 }),
})

/** The log is emptied at the end of a height once it is longer than this. */
const compactBytes = 8 * 1024 * 1024

/**
 * A log in a file. What was not written to its end, or is damaged, is kept beside it; the records
 * before that are replayed, and whatever was signed since is the sign guard's to know.
 *
 * @throws WrongFileError when the file belongs to another network, validator or version;
 * CorruptFileError when its beginning is damaged.
 */
export async function openFileLog(
  path: string,
  owner: { readonly networkId: Hex; readonly validator: Hex },
  logger: Logger,
  disk: Disk,
): Promise<ConsensusLog> {
  let records: LogRecord[] = []
  const mine = { version: 2, ...owner }
  const file = await openRecordFile({
    ...{ disk, path, logger, header: ownerHeader(mine) },
    whose: whoseFile(mine),
    onDamage: 'keep-prefix',
    remedy: 'move it away and start again; the sign guard knows what was signed',
    onRecord: (payload) => {
      const record = decode(recordCodec, payload)
      if (record.kind === 'endHeight') records = []
      else records.push(record)
    },
  })
  return {
    replay: () => records,
    append: (record) => void file.append(encode(recordCodec, record)),
    sync: () => file.sync(),
    async endHeight(height) {
      records = []
      const end = encode(recordCodec, { kind: 'endHeight', height })
      if (file.sizeBytes() > compactBytes) await file.rewrite(() => [end])
      else file.append(end)
    },
    close: () => file.close(),
  }
}

/** A log that dies with the process; `survivor` is what a crash now would leave on a disk. */
export type MemoryLog = ConsensusLog & { survivor(): MemoryLog }

/** @param durable - records that an earlier log left. */
export function createMemoryLog(durable: readonly LogRecord[] = []): MemoryLog {
  const synced = [...durable]
  let waiting: LogRecord[] = []
  return {
    replay: () => durable,
    append: (record) => void waiting.push(record),
    sync() {
      synced.push(...waiting)
      waiting = []
      return Promise.resolve()
    },
    endHeight() {
      synced.length = 0
      waiting = []
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
    survivor: () => createMemoryLog([...synced]),
  }
}
