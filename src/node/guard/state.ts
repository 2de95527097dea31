import { compareSlots, type SignSlot } from '#consensus'
import { type Hex, unreachable } from '#primitives'
import type { Floor, GuardRecord } from './records.ts'

/** All that a guard knows; `take` alone changes it. */
export type GuardState = {
  /** Of the process that began last. */
  instance: Hex | undefined
  /** The digest is undefined where only the position is known. */
  vote: { readonly slot: SignSlot; readonly digest: Hex | undefined } | undefined
  report: { readonly sequence: number; readonly signed: Signed | undefined } | undefined
  /** Calls by L1 nonce, of the last `keptCalls` nonces; all others below the floor are taken. */
  readonly calls: Map<number, Call>
  callFloor: number
  /** Threshold nonces of this instance: those below are reserved, those below are taken. */
  reserved: number
  indexFloor: number
  /** Shares by threshold nonce, of the last `keptShares` nonces. */
  readonly shares: Map<number, Signed>
}

/** A digest, and the signature or share that was made over it. */
export type Signed = { readonly digest: Hex; readonly signature: Hex }

/** What an L1 nonce is for. */
export type Call = {
  /** Undefined when the call was given up: the nonce is free for another. */
  readonly digest: Hex | undefined
  /** Whether an earlier process signed it: nobody here watches what becomes of it. */
  readonly isEarlier: boolean
}

/** Nonces for which calls are told apart: an account has at most 16 in flight. */
export const keptCalls = 64

/** Threshold nonces for which shares are told apart: a ledger's pool holds 128. */
export const keptShares = 1024

/** A guard that has seen nothing. */
export const emptyState = (): GuardState => ({
  instance: undefined,
  vote: undefined,
  report: undefined,
  calls: new Map(),
  callFloor: 0,
  reserved: 0,
  indexFloor: 0,
  shares: new Map(),
})

/** Adds one record. */
export function take(state: GuardState, record: GuardRecord): void {
  switch (record.kind) {
    case 'start':
      start(state, record.instance)
      return
    case 'vote':
      state.vote = { slot: record.slot, digest: record.digest }
      return
    case 'report': {
      const { sequence, digest, signature } = record
      state.report = { sequence, signed: { digest, signature } }
      return
    }
    case 'transaction':
      keepCall(state, record.nonce, record.digest)
      return
    case 'release':
      keepCall(state, record.nonce, undefined)
      return
    case 'reserve':
      state.reserved = Math.max(state.reserved, record.upTo)
      return
    case 'share':
      state.shares.set(record.index, { digest: record.digest, signature: record.share })
      state.indexFloor = Math.max(state.indexFloor, forget(state.shares, keptShares))
      return
    case 'floor':
      raise(state, record)
      return
    default:
      unreachable(record)
  }
}

/** Few records that give this state again. */
export function snapshot(state: GuardState): readonly GuardRecord[] {
  const { instance, vote, report, callFloor, reserved, indexFloor, shares } = state
  const signed = report?.signed
  return [
    ...callRecords(state, true),
    ...(instance ? [{ kind: 'start', instance } as const] : []),
    {
      kind: 'floor',
      ...{ vote: vote?.slot, report: report?.sequence, transaction: callFloor, index: indexFloor },
    },
    ...callRecords(state, false),
    ...(vote?.digest ? [{ kind: 'vote', slot: vote.slot, digest: vote.digest } as const] : []),
    ...(signed ? [{ kind: 'report', sequence: report.sequence, ...signed } as const] : []),
    { kind: 'reserve', upTo: reserved },
    ...[...shares].map(
      ([index, { digest, signature }]) =>
        ({ kind: 'share', index, digest, share: signature }) as const,
    ),
  ]
}

/** Where another guard may begin. */
export const floorOf = (state: GuardState): Floor => ({
  vote: state.vote?.slot,
  report: state.report?.sequence,
  transaction: above(state.callFloor, state.calls),
  index: above(state.indexFloor, state.shares),
})

function start(state: GuardState, instance: Hex): void {
  for (const [nonce, call] of state.calls) state.calls.set(nonce, { ...call, isEarlier: true })
  state.instance = instance
  state.reserved = 0
  state.indexFloor = 0
  state.shares.clear()
}

function keepCall(state: GuardState, nonce: number, digest: Hex | undefined): void {
  state.calls.set(nonce, { digest, isEarlier: false })
  state.callFloor = Math.max(state.callFloor, forget(state.calls, keptCalls))
}

function raise(state: GuardState, { vote, report, transaction, index }: Floor): void {
  if (vote && (!state.vote || compareSlots(vote, state.vote.slot) > 0))
    state.vote = { slot: vote, digest: undefined }
  if (report !== undefined && report > (state.report?.sequence ?? -1))
    state.report = { sequence: report, signed: undefined }
  state.callFloor = Math.max(state.callFloor, transaction)
  state.indexFloor = Math.max(state.indexFloor, index)
}

/** Keeps the last positions; returns the first that is kept. */
function forget(kept: Map<number, unknown>, count: number): number {
  const floor = Math.max(...kept.keys()) + 1 - count
  for (const position of kept.keys()) if (position < floor) kept.delete(position)
  return floor
}

/** The first position above all that are known. */
const above = (floor: number, known: ReadonlyMap<number, unknown>): number =>
  Math.max(floor, ...[...known.keys()].map((position) => position + 1))

const callRecords = ({ calls }: GuardState, isEarlier: boolean): readonly GuardRecord[] =>
  [...calls]
    .filter(([, call]) => call.isEarlier === isEarlier)
    .map(([nonce, { digest }]) =>
      digest ? { kind: 'transaction', nonce, digest } : { kind: 'release', nonce },
    )
