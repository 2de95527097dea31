import {
  hasFile,
  openRecordFile,
  ownerHeader,
  type RecordFile,
  type SignSlot,
  whoseFile,
} from '#consensus'
import { type Disk, DomainError, type Hex, type Logger, type Rng, toHex } from '#primitives'
import { decode, encode } from '#records'
import { genesisFile } from '../operator-folder.ts'
import { operatorKeysFile } from '../operator-keys.ts'
import { settingsFile } from '../settings.ts'
import {
  type Clerk,
  type Counts,
  createClerk,
  type Permit,
  type SignOutcome,
  type Write,
} from './clerk.ts'
import {
  isLeftOver,
  isTaken,
  judgeNonce,
  judgeReport,
  judgeTransaction,
  judgeVote,
  missingVote,
  type NoncePosition,
} from './judge.ts'
import { lockFile } from './lock.ts'
import {
  type Floor,
  type GuardOwner,
  type GuardRecord,
  guardRecordCodec,
  type Purpose,
} from './records.ts'
import { emptyState, floorOf, type GuardState, snapshot, take } from './state.ts'

/**
 * Remembers all that one operator has signed, in one file. Whatever is permitted is durable before
 * the promise resolves; when the file cannot be written, every promise rejects from then on.
 */
export type Guard = {
  /** Fresh random bytes of this start: threshold nonces of any other are void. */
  readonly instance: Hex
  /** Votes and proposals of consensus, by height, round and step. */
  readonly votes: {
    admit(slot: SignSlot, digest: Hex): Promise<Permit>
    /** Takes in what a log shows to have been signed, where it is news. */
    restore(slot: SignSlot, digest: Hex): Promise<void>
  }
  /** Reports to the ledger, by sequence. */
  readonly reports: {
    /** A sequence that is free and at least this. */
    next(atLeast: number): number
    /** Fixes what the sequence is for before it returns; `make` signs, and is not asked twice. */
    sign(sequence: number, digest: Hex, make: () => Hex): Promise<SignOutcome>
  }
  /**
   * L1 transactions, by the account's nonce. The digest leaves out fees: a raise is the same call.
   */
  readonly transactions: {
    admit(nonce: number, digest: Hex): Promise<Permit>
    /** The call under this nonce has ended: mined, refused or given up. Another may follow. */
    release(nonce: number): Promise<void>
    /** Whether another call has the nonce, and it is none of this process. */
    isLeftOver(nonce: number, digest: Hex): boolean
  }
  /** Threshold nonces, by instance and index. */
  readonly nonces: {
    /** Commitments of indices below may be published. */
    reserved(): number
    reserve(upTo: number): Promise<void>
    /** `make` gives the share, and is asked once an index. */
    sign(position: NoncePosition, digest: Hex, make: () => Hex): Promise<SignOutcome>
  }
  /** Where a guard on another machine may begin. */
  floor(): Floor
  /** Refuses everything below another guard's floor from now on; the higher of the two holds. */
  raise(floor: Floor): Promise<void>
  /** Whether the folder was restored, and what was signed since the backup is not known yet. */
  isHeld(): boolean
  /** Signs from now on, but no vote up to this height; durable when it resolves. */
  endHold(height: number): Promise<void>
  counts(): Readonly<Record<Purpose, Counts>>
  /** The file can be opened by another guard afterwards. */
  close(): Promise<void>
}

/** Where a guard is, and whose. */
export type GuardPlace = GuardOwner & {
  readonly disk: Disk
  readonly logger: Logger
}

/** What a guard needs. */
export type GuardOptions = GuardPlace & {
  /** Begin with nothing signed although the folder is in use: only for keys that never signed. */
  readonly init?: boolean
  /** Raised to this before anything is signed, also where the file is made for it. */
  readonly floor?: Floor
  readonly rng: Rng
  /** Told of every judgement, for metrics. */
  readonly onJudged?: (purpose: Purpose, isPermitted: boolean) => void
  /** Bytes by which the file grows before it is written anew. */
  readonly compactBytes?: number
}

/** The guard's file in the operator's folder. */
export const guardFile = 'guard.log'

/**
 * In the folder of an operator that comes from a backup: as long as the file is there, nothing is
 * signed.
 */
export const restoredFile = 'restored'

/** What the file says to whoever opens it. */
export const restoredText = [
  'This operator was restored from a backup, and may have signed since what its guard does not know.',
  'It signs again by itself once it is two blocks beyond the height that its peers report; then this',
  'file goes. Only where the peers that it waits for never come back, remove it by hand.',
  '',
].join('\n')

/** A snapshot is at most 130 kB; five of them are read within milliseconds. */
const defaultCompactBytes = 512 * 1024

/**
 * Opens the operator's guard; makes it in an empty folder. Only one may be open for a folder:
 * `lockFolder` sees to that.
 *
 * @throws GuardMissingError, WrongFileError, CorruptFileError, and the disk's own errors.
 */
export async function openGuard(options: GuardOptions): Promise<Guard> {
  const { disk, floor } = options
  await requireFile(options)
  const state = emptyState()
  const file = await openFile(options, state)
  const instance = toHex(options.rng(32))
  const isHeld = await hasFile(disk, restoredFile)
  const write = writer(state, file, options.compactBytes ?? defaultCompactBytes)
  try {
    if (floor) await write({ kind: 'floor', ...floor })
    await write({ kind: 'start', instance })
  } catch (error) {
    await file.close()
    throw error
  }
  return createGuard({ ...options, instance, isHeld, state, file, write })
}

/**
 * Makes the guard of keys that have just been made, before they are kept: from then on keys without
 * one are refused.
 *
 * @throws GuardMissingError where the folder was in use, and the disk's own errors.
 */
export async function makeGuard(place: GuardPlace): Promise<void> {
  await requireFile(place)
  const file = await openFile(place, emptyState())
  await file.close()
}

/**
 * What another guard must be raised to before it may sign for the same operator.
 *
 * @throws GuardMissingError, GuardHeldError, WrongFileError, CorruptFileError, and the disk's own.
 */
export async function readFloor(options: GuardPlace): Promise<Floor> {
  const { disk } = options
  const path = disk.pathOf(guardFile)
  if (!(await hasFile(disk, guardFile)))
    throw new GuardMissingError(`${path} is missing: what was signed is not known`, { path })
  if (await hasFile(disk, restoredFile))
    throw new GuardHeldError(
      `${path} is from a backup, and does not know what was signed since: start its operator, and ` +
        `export when ${restoredFile} is gone from the folder`,
      { path },
    )
  const state = emptyState()
  const file = await openFile(options, state)
  await file.close()
  return floorOf(state)
}

/** Opens the file, or makes one with the floor in it: a crash leaves none that knows less. */
function openFile(options: GuardPlace & { readonly floor?: Floor }, state: GuardState) {
  const { disk, networkId, operator, floor, logger } = options
  const owner = { version: 1, networkId, validator: operator }
  return openRecordFile({
    ...{ disk, path: guardFile, logger, header: ownerHeader(owner), whose: whoseFile(owner) },
    onDamage: 'refuse',
    remedy:
      'what was signed is not known any more. Restore the folder from a backup (nodeop restore), ' +
      `or move the file away and import a watermark that lies above all that was signed: ${importing(disk)}`,
    initial: floor ? [bytesOf({ kind: 'floor', ...floor })] : [],
    onRecord: (payload) => take(state, decode(guardRecordCodec, payload)),
  })
}

/** The command that makes a guard from a watermark. */
const importing = (disk: Disk): string => `nodeop guard import --data ${disk.pathOf('')} FILE`

const bytesOf = (record: GuardRecord): Uint8Array => encode(guardRecordCodec, record)

/** The keys were used, and what they signed is not known. */
export class GuardMissingError extends DomainError<'GuardMissing', { path: string }> {
  override readonly code = 'GuardMissing'
}

/** What was signed since a backup is not known yet. */
export class GuardHeldError extends DomainError<'GuardHeld', { path: string }> {
  override readonly code = 'GuardHeld'
}

/** What a folder may hold before there is a guard. */
const beforeGuard = [
  ...[`${guardFile}.new`, restoredFile, lockFile, `${lockFile}-journal`],
  ...[genesisFile, settingsFile].flatMap((name) => [name, `${name}.new`]),
]

/**
 * A folder that holds nothing but what a start needs, or leaves before the guard is made, is empty.
 * Keys are more, since a guard is made before them, unless a mark holds back what they sign.
 */
async function requireFile({
  disk,
  init,
  floor,
  logger,
}: Pick<GuardOptions, 'disk' | 'init' | 'floor' | 'logger'>): Promise<void> {
  if (floor || (await hasFile(disk, guardFile))) return
  const names = await disk.list('')
  const harmless = names.includes(restoredFile) ? [...beforeGuard, operatorKeysFile] : beforeGuard
  const others = names.filter((name) => !harmless.includes(name))
  const path = disk.pathOf(guardFile)
  if (init) logger.warn('sign guard begins with nothing signed, as told', { path })
  else if (others.length > 0) {
    const message =
      `${path} is missing, and its folder was in use (${others[0]}): start with --init if these ` +
      'keys have never signed; else restore the folder from a backup (nodeop restore), or import ' +
      `a watermark that lies above all that was signed: ${importing(disk)}`
    throw new GuardMissingError(message, { path })
  }
}

/** Adds a record at once, and durably when it resolves; keeps the file short. */
function writer(state: GuardState, file: RecordFile, compactBytes: number): Write {
  let limitBytes = file.sizeBytes() < compactBytes ? compactBytes : 0
  return async (record) => {
    take(state, record)
    file.append(bytesOf(record))
    const isLong = file.sizeBytes() > limitBytes
    if (!isLong) return file.sync()
    limitBytes = Number.POSITIVE_INFINITY
    await file.rewrite(() => snapshot(state).map(bytesOf))
    limitBytes = file.sizeBytes() + compactBytes
  }
}

type Parts = GuardOptions & {
  readonly instance: Hex
  /** As it was opened. */
  readonly isHeld: boolean
  readonly state: GuardState
  readonly file: RecordFile
  readonly write: Write
}

function createGuard(parts: Parts): Guard {
  const { instance, state, file, write, logger, onJudged } = parts
  let { isHeld } = parts
  const clerk = createClerk({
    ...{ write, sync: () => file.sync(), isHeld: () => isHeld, logger, onJudged },
  })
  return {
    instance,
    votes: {
      admit: (slot, digest) =>
        clerk.admit('vote', judgeVote(state, slot, digest), { kind: 'vote', slot, digest }),
      async restore(slot, digest) {
        const missing = missingVote(state, slot, digest)
        if (!missing) return
        logger.warn('the sign guard lacked a vote that the log has: it is a copy or was cut', {
          ...slot,
        })
        await write(missing)
      },
    },
    reports: {
      next: (atLeast) => Math.max(atLeast, (state.report?.sequence ?? -1) + 1),
      sign: (sequence, digest, make) =>
        clerk.sign('report', judgeReport(state, sequence, digest), make, (signature) => ({
          ...{ kind: 'report', sequence, digest, signature },
        })),
    },
    transactions: {
      admit: (nonce, digest) =>
        clerk.admit('transaction', judgeTransaction(state, nonce, digest), {
          ...{ kind: 'transaction', nonce, digest },
        }),
      async release(nonce) {
        if (isTaken(state, nonce)) await write({ kind: 'release', nonce })
      },
      isLeftOver: (nonce, digest) => isLeftOver(state, nonce, digest),
    },
    nonces: nonceGuard(state, clerk, write),
    floor: () => floorOf(state),
    raise: (floor) => write({ kind: 'floor', ...floor }),
    isHeld: () => isHeld,
    async endHold(height) {
      await write({ kind: 'floor', ...floorAt(height) })
      await parts.disk.remove(restoredFile)
      await parts.disk.syncFolder('')
      isHeld = false
    },
    counts: clerk.counts,
    close: () => file.close(),
  }
}

/** Above this height all is free. */
const floorAt = (height: number): Floor => ({
  vote: { height, round: 2 ** 32 - 1, step: 'precommit' },
  ...{ report: undefined, transaction: 0, index: 0 },
})

function nonceGuard(state: GuardState, clerk: Clerk, write: Write): Guard['nonces'] {
  // What is durable: the state is ahead of the disk while a record is under way.
  let reserved = 0
  return {
    reserved: () => reserved,
    async reserve(upTo) {
      if (upTo <= reserved) return
      await write({ kind: 'reserve', upTo })
      reserved = Math.max(reserved, upTo)
    },
    sign: (position, digest, make) =>
      clerk.sign('nonce', judgeNonce(state, position, digest), make, (share) => ({
        ...{ kind: 'share', index: position.index, digest, share },
      })),
  }
}
