import { fromHex, type Hex, toHex } from '#primitives'
import {
  ResponseApplySnapshotChunk_Result as Applied,
  ResponseOfferSnapshot_Result as Offer,
  type RequestApplySnapshotChunk,
  type RequestLoadSnapshotChunk,
  type RequestOfferSnapshot,
} from './messages/abci_pb.ts'
import type { Answer } from './messages.ts'

/** A snapshot as operators tell each other of it; equal ones are fetched from all who have them. */
export type Snapshot = {
  /** Of the last block in it. */
  readonly height: number
  readonly format: number
  readonly chunks: number
  /** 32 bytes. */
  readonly hash: Hex
  /** What an operator needs to check the chunks, up to 4 MB. */
  readonly metadata: Uint8Array
}

/** Why a snapshot is not taken up. */
export type OfferFault = 'SnapshotFormat' | 'BadSnapshot' | 'LedgerInUse'

/** Why a chunk is not taken up; the last one may show that the whole snapshot is no good. */
export type ChunkFault = 'BadSnapshotChunk' | 'BadSnapshot' | 'NoSnapshotOffered'

/** What came of an offer or a chunk; `detail` is for people. */
export type SnapshotVerdict<Fault extends string> =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: Fault; readonly detail: string }

/** An operator's snapshots: those that it gives, and the one that it begins from. */
export type SnapshotPort = {
  /** Those that it has, whole. */
  list(): readonly Snapshot[]
  /** A chunk below 16 MB; undefined when it has none of this name. */
  load(height: number, format: number, chunk: number): Promise<Uint8Array | undefined>
  /** @param appHash - of the snapshot's height, as the light client proved it. */
  offer(snapshot: Snapshot, appHash: Hex): Promise<SnapshotVerdict<OfferFault>>
  /** The chunks of the offered snapshot in their order; with the last one the ledger is its. */
  apply(index: number, chunk: Uint8Array): Promise<SnapshotVerdict<ChunkFault>>
}

/** `listSnapshots`, answered. */
export const answerList = (snapshots: readonly Snapshot[]): Answer => ({
  case: 'listSnapshots',
  value: {
    snapshots: snapshots.map(({ height, hash, ...rest }) => ({
      ...rest,
      height: BigInt(height),
      hash: fromHex(hash),
    })),
  },
})

/** `loadSnapshotChunk`, answered; no bytes mean that there is no such chunk. */
export async function answerLoad(
  port: SnapshotPort,
  { height, format, chunk }: RequestLoadSnapshotChunk,
): Promise<Answer> {
  const bytes = await port.load(Number(height), format, chunk)
  return { case: 'loadSnapshotChunk', value: { chunk: bytes ?? new Uint8Array() } }
}

/** `offerSnapshot`, answered. */
export async function answerOffer(
  port: SnapshotPort,
  { snapshot, appHash }: RequestOfferSnapshot,
): Promise<{ readonly verdict: SnapshotVerdict<OfferFault>; readonly answer: Answer }> {
  const offered = {
    height: Number(snapshot?.height ?? 0n),
    format: snapshot?.format ?? 0,
    chunks: snapshot?.chunks ?? 0,
    hash: toHex(snapshot?.hash ?? new Uint8Array()),
    metadata: (snapshot?.metadata ?? new Uint8Array()).slice(),
  }
  const verdict = await port.offer(offered, toHex(appHash))
  const result = verdict.ok ? Offer.ACCEPT : offerResults[verdict.reason]
  return { verdict, answer: { case: 'offerSnapshot', value: { result } } }
}

const offerResults: Readonly<Record<OfferFault, Offer>> = {
  SnapshotFormat: Offer.REJECT_FORMAT,
  BadSnapshot: Offer.REJECT,
  LedgerInUse: Offer.ABORT,
}

/** `applySnapshotChunk`, answered: a wrong chunk is fetched again, from somebody else. */
export async function answerApply(
  port: SnapshotPort,
  { index, chunk, sender }: RequestApplySnapshotChunk,
): Promise<{ readonly verdict: SnapshotVerdict<ChunkFault>; readonly answer: Answer }> {
  const verdict = await port.apply(index, chunk.slice())
  const result = verdict.ok ? Applied.ACCEPT : chunkResults[verdict.reason]
  const again =
    !verdict.ok && verdict.reason === 'BadSnapshotChunk'
      ? { refetchChunks: [index], rejectSenders: [sender] }
      : {}
  return { verdict, answer: { case: 'applySnapshotChunk', value: { result, ...again } } }
}

const chunkResults: Readonly<Record<ChunkFault, Applied>> = {
  BadSnapshotChunk: Applied.RETRY,
  BadSnapshot: Applied.REJECT_SNAPSHOT,
  NoSnapshotOffered: Applied.RETRY_SNAPSHOT,
}
