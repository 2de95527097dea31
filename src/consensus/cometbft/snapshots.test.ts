import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import {
  ResponseApplySnapshotChunk_Result as Applied,
  ResponseOfferSnapshot_Result as Offer,
  RequestApplySnapshotChunkSchema,
  RequestOfferSnapshotSchema,
} from './messages/abci_pb.ts'
import { answerApply, answerOffer, type ChunkFault, type OfferFault } from './snapshots.ts'

const verdictOf = <Fault extends string>(reason: Fault | undefined) =>
  reason === undefined ? ({ ok: true } as const) : ({ ok: false, reason, detail: '' } as const)

/** Takes or refuses everything. */
const port = (offer?: OfferFault, apply?: ChunkFault) => ({
  list: () => [],
  load: async () => undefined,
  offer: async () => verdictOf(offer),
  apply: async () => verdictOf(apply),
})

test('snapshots: CometBFT is told what to do with one that is offered', async () => {
  const results: readonly [OfferFault | undefined, Offer][] = [
    [undefined, Offer.ACCEPT],
    ['BadSnapshot', Offer.REJECT],
    ['SnapshotFormat', Offer.REJECT_FORMAT],
    ['LedgerInUse', Offer.ABORT],
  ]
  for (const [fault, result] of results) {
    const { answer } = await answerOffer(port(fault), create(RequestOfferSnapshotSchema, {}))
    assert.deepEqual(answer, { case: 'offerSnapshot', value: { result } })
  }
})

test('snapshots: a wrong chunk is asked for again, and not from who sent it', async () => {
  const chunk = create(RequestApplySnapshotChunkSchema, { index: 3, sender: 'liar' })
  const results: readonly [ChunkFault | undefined, object][] = [
    [undefined, { result: Applied.ACCEPT }],
    ['BadSnapshotChunk', { result: Applied.RETRY, refetchChunks: [3], rejectSenders: ['liar'] }],
    ['BadSnapshot', { result: Applied.REJECT_SNAPSHOT }],
    ['NoSnapshotOffered', { result: Applied.RETRY_SNAPSHOT }],
  ]
  for (const [fault, value] of results) {
    const { answer } = await answerApply(port(undefined, fault), chunk)
    assert.deepEqual(answer, { case: 'applySnapshotChunk', value })
  }
})
