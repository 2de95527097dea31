import { bigintToBytes, concatBytes, fromHex, type Hex } from '#primitives'
import {
  address,
  byteList,
  type Codec,
  decode,
  encode,
  hash32,
  list,
  maxCallBytes,
  optional,
  record,
  text,
  uint64,
  uint256,
} from '#records'

/** What fixes an L2 block besides its transactions: everything comes from the ledger. */
export type BlockContext = {
  readonly parentHash: Hex
  /** Whole seconds. */
  readonly timestamp: number
  readonly prevRandao: Hex
  readonly feeRecipient: Hex
  /** EIP-4788's root: here the consensus height as a 32-byte integer. */
  readonly parentBeaconBlockRoot: Hex
}

/** Input of the computation: the consensus height, the context, the transactions in order. */
export type ExecutionInput = {
  readonly height: number
  readonly context: BlockContext
  readonly transactions: readonly Uint8Array[]
}

/** What the ledger keeps of its latest L2 block. */
export type L2Head = {
  readonly number: number
  readonly hash: Hex
  readonly stateRoot: Hex
  readonly timestamp: number
  readonly baseFeePerGas: bigint
  readonly gasUsed: number
  readonly gasLimit: number
}

/** What a new L2 block tells the ledger. */
export type BlockSummary = L2Head & {
  readonly parentHash: Hex
  readonly transactionsRoot: Hex
  readonly receiptsRoot: Hex
}

/** A transaction that the block left out, by its place in the input. */
export type Dropped = {
  readonly index: number
  readonly reason: string
  readonly detail: string
}

/** Output of the computation; no block when every transaction was dropped. */
export type ExecutionOutput = {
  /** Number of transactions that the input held. */
  readonly offered: number
  readonly block: BlockSummary | undefined
  readonly dropped: readonly Dropped[]
}

/** More transactions than fit into the largest consensus block. */
const maxTransactions = 65_536

const contextCodec: Codec<BlockContext> = record({
  parentHash: hash32,
  timestamp: uint64,
  prevRandao: hash32,
  feeRecipient: address,
  parentBeaconBlockRoot: hash32,
})

const inputCodec: Codec<ExecutionInput> = record({
  height: uint64,
  context: contextCodec,
  transactions: list(byteList(maxCallBytes), maxTransactions),
})

const headFields = {
  number: uint64,
  hash: hash32,
  stateRoot: hash32,
  timestamp: uint64,
  baseFeePerGas: uint256(),
  gasUsed: uint64,
  gasLimit: uint64,
}

const headCodec: Codec<L2Head> = record(headFields)

const summaryCodec: Codec<BlockSummary> = record({
  ...headFields,
  parentHash: hash32,
  transactionsRoot: hash32,
  receiptsRoot: hash32,
})

const outputCodec: Codec<ExecutionOutput> = record({
  offered: uint64,
  block: optional(summaryCodec),
  dropped: list<Dropped>(
    record({ index: uint64, reason: text(64), detail: text(512) }),
    maxTransactions,
  ),
})

/** Canonical bytes of an input. */
export const encodeInput = (input: ExecutionInput): Uint8Array => encode(inputCodec, input)
/** @throws CodecError when the bytes are no input. */
export const decodeInput = (bytes: Uint8Array): ExecutionInput => decode(inputCodec, bytes)
export const encodeOutput = (output: ExecutionOutput): Uint8Array => encode(outputCodec, output)
/** @throws CodecError when the bytes are no output. */
export const decodeOutput = (bytes: Uint8Array): ExecutionOutput => decode(outputCodec, bytes)
export const encodeHead = (head: L2Head): Uint8Array => encode(headCodec, head)
/** @throws CodecError when the bytes are no head. */
export const decodeHead = (bytes: Uint8Array): L2Head => decode(headCodec, bytes)

/**
 * Body of a block's leaf: `abi.encode(uint256 number, bytes32 hash, bytes32 parentHash, bytes32
 * stateRoot, bytes32 transactionsRoot, bytes32 receiptsRoot, uint256 timestamp)`.
 */
export const blockLeafBody = (block: BlockSummary): Uint8Array =>
  concatBytes(
    bigintToBytes(BigInt(block.number), 32),
    ...[
      block.hash,
      block.parentHash,
      block.stateRoot,
      block.transactionsRoot,
      block.receiptsRoot,
    ].map((hash) => fromHex(hash, 32)),
    bigintToBytes(BigInt(block.timestamp), 32),
  )
