import { type Hex, keccak256Hex, sha256Hex, utf8 } from '#primitives'
import {
  byteList,
  type Codec,
  CodecError,
  decode,
  encode,
  fixedHex,
  list,
  record,
  tagged,
  text,
} from './codec.ts'
import { type L1Event, l1EventCodec } from './l1-event.ts'
import { readCall, writeCall } from './quick-call.ts'
import { type Report, reportCodec } from './report.ts'
import type { ServiceName } from './service.ts'
import { type TaskRequest, taskRequestCodec } from './task.ts'
import { typedDataHash } from './typed-data.ts'

/** Everything that enters the ledger, as a closed union. */
export type Transaction =
  /** The proposer's RFC 9381 proof (80 bytes), first in a block that has anything to do. */
  | { readonly kind: 'randomness'; readonly proof: Hex }
  /** What an operator says; `signature` is r ‖ s ‖ v over `reportDigest`. */
  | { readonly kind: 'report'; readonly report: Report; readonly signature: Hex }
  /** The next L1 events; anyone may bring them, the operators' views vouch for them. */
  | { readonly kind: 'l1-events'; readonly events: readonly L1Event[] }
  /** A client's task; `signature` is r ‖ s ‖ v over `taskDigest`. */
  | { readonly kind: 'task'; readonly request: TaskRequest; readonly signature: Hex }
  /** A call of a replicated service: for the sequencer, a raw Ethereum transaction. */
  | { readonly kind: 'call'; readonly service: ServiceName; readonly payload: Uint8Array }

/** Which member of the union a transaction is. */
export type TransactionKind = Transaction['kind']

/** Most L1 events in one transaction, and bytes in one call. */
export const maxL1Events = 64
export const maxCallBytes = 128 * 1024

const maxServiceNameBytes = 31

export const transactionCodec: Codec<Transaction> = tagged<Transaction>({
  randomness: record({ proof: fixedHex(80) }),
  report: record({ report: reportCodec, signature: fixedHex(65) }),
  'l1-events': record({ events: list(l1EventCodec, maxL1Events) }),
  task: record({ request: taskRequestCodec, signature: fixedHex(65) }),
  call: record({ service: text(maxServiceNameBytes), payload: byteList(maxCallBytes) }),
})

/** Places among the members of the union. */
const callTag = 4
const dutyTags: ReadonlySet<number | undefined> = new Set([1, 2])

/** Whether these bytes are, if anything, what operators send: a report, or L1 events. */
export const isDuty = (bytes: Uint8Array): boolean => dutyTags.has(bytes[0])

const callLimits = { service: maxServiceNameBytes, payload: maxCallBytes }

/** Canonical bytes of a transaction, as they travel and stand in blocks. */
export const encodeTransaction = (transaction: Transaction): Uint8Array =>
  (transaction.kind === 'call' ? writeCall(transaction, callTag, callLimits) : undefined) ??
  encode(transactionCodec, transaction)

/** @throws CodecError when the bytes are no transaction. */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const call = readCall(bytes, callTag, callLimits)
  return call ? { kind: 'call', ...call } : decode(transactionCodec, bytes)
}

/**
 * The transaction, or undefined for bytes that are none: for blocks, which hold what was proposed.
 */
export function tryDecodeTransaction(bytes: Uint8Array): Transaction | undefined {
  try {
    return decodeTransaction(bytes)
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}

/** SHA-256 of a transaction's bytes: its name in the mempool and in blocks. */
export const transactionHash = (bytes: Uint8Array): Hex => sha256Hex(bytes)

/** EIP-712 digest that a client signs; the task's id. */
export const taskDigest = (network: Hex, request: TaskRequest): Hex =>
  typedDataHash(network, taskType, [
    request.client,
    keccak256Hex(utf8(request.service)),
    keccak256Hex(request.payload),
    request.maxFee,
    request.validUntilMs,
    request.salt,
  ])

const taskType =
  'Task(address client,string service,bytes payload,uint256 maxFee,uint64 validUntilMs,bytes32 salt)'

/** The `types` of the same struct, for viem's and wallets' `signTypedData`. */
export const taskTypes = {
  Task: [
    { name: 'client', type: 'address' },
    { name: 'service', type: 'string' },
    { name: 'payload', type: 'bytes' },
    { name: 'maxFee', type: 'uint256' },
    { name: 'validUntilMs', type: 'uint64' },
    { name: 'salt', type: 'bytes32' },
  ],
} as const
