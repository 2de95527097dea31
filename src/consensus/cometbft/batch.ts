import { byteList, type Codec, CodecError, decode, encode, list, record, uint64 } from '#records'

/**
 * Transactions on their way from one operator's mempool to another's, in what CometBFT takes for a
 * single transaction: each costs both nodes a call, a hash and an entry of what they have seen.
 */
export type Batch = {
  /** Differs from batch to batch: CometBFT drops what it has seen before. */
  readonly sequence: number
  readonly transactions: readonly Uint8Array[]
}

/** Bytes of all transactions of a batch, framed, unless it is of one alone. */
export const maxBatchBytes = 256 * 1024

/**
 * Most transactions of a batch. Without a bound, a message of a megabyte would be a hundred
 * thousand questions.
 */
export const maxBatchTransactions = 1_024

/** Bytes around the transactions, and around each of them. */
const framing = { batch: 12, transaction: 8 } as const

/** Bytes that a transaction takes in a batch. */
export const bytesInBatch = ({ length }: Uint8Array): number => length + framing.transaction

/** The longest batch where a transaction has so many bytes at most. */
export const longestBatch = (maxTransactionBytes: number): number =>
  framing.batch + Math.max(maxBatchBytes, maxTransactionBytes + framing.transaction)

// Bytes are CometBFT's to bound: it takes no transaction that is longer than the longest batch.
const codec: Codec<Batch> = record<Batch>({
  sequence: uint64,
  transactions: list(byteList(2 ** 30), maxBatchTransactions),
})

/** A batch's bytes, as long as its transactions say and `framing`. */
export const encodeBatch = (batch: Batch): Uint8Array => encode(codec, batch)

/** Undefined for what is no batch: what is empty, or of something empty, is none. */
export function tryDecodeBatch(bytes: Uint8Array): Batch | undefined {
  try {
    const batch = decode(codec, bytes)
    const isMade = batch.transactions.length > 0 && batch.transactions.every(({ length }) => length)
    return isMade ? batch : undefined
  } catch (error) {
    if (error instanceof CodecError) return undefined
    throw error
  }
}
