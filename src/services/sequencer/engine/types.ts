import type { Hex } from '#primitives'
import type { BlockContext, BlockSummary, Dropped } from '../state/computation.ts'
import type { Authorization, TransactionType } from '../state/ethereum-transaction.ts'
import type { Header } from '../state/header.ts'

/**
 * What turns an ordered list of transactions into Ethereum blocks and answers questions about them.
 * Plain data in and out, so that it can live in a worker thread or in another execution client.
 */
export type Engine = {
  /** The latest block. */
  head(): Promise<BlockHead>
  /**
   * Builds the block after `context.parentHash`; durable when it resolves. Invalid transactions are
   * dropped with a reason; with none left there is no block. The same call again does no harm.
   *
   * @param height - of the consensus block, for people reading errors.
   * @throws UnknownParentError when the parent was never executed here.
   */
  execute(
    height: number,
    context: BlockContext,
    transactions: readonly Uint8Array[],
  ): Promise<ExecutionResult>
  block(ref: BlockRef): Promise<StoredBlock | undefined>
  receipts(blockHash: Hex): Promise<readonly StoredReceipt[] | undefined>
  transaction(hash: Hex): Promise<StoredTransaction | undefined>
  /** Accounts after the latest block, with what the next block will ask of a transaction. */
  accounts(addresses: readonly Hex[]): Promise<AccountsAtHead>
  account(address: Hex, ref: BlockRef): Promise<AccountState | undefined>
  code(address: Hex, ref: BlockRef): Promise<Uint8Array | undefined>
  /** A storage slot as 32 bytes. */
  storage(address: Hex, slot: Hex, ref: BlockRef): Promise<Hex | undefined>
  /**
   * @param signal - once aborted, the work is given up and its reason thrown; so with all queries.
   * @throws TooManyQueriesError, QueryTimedOutError where queries have bounds.
   */
  call(message: CallMessage, ref: BlockRef, signal?: AbortSignal): Promise<CallResult | undefined>
  estimateGas(
    message: CallMessage,
    ref: BlockRef,
    signal?: AbortSignal,
  ): Promise<EstimateResult | undefined>
  logs(filter: LogFilter, signal?: AbortSignal): Promise<LogsResult>
  /**
   * Takes a part of a snapshot that was checked. Nothing of it is seen before the last part, which
   * puts the chain in place of the one that was there.
   */
  restore(part: L2Part): Promise<void>
  /** Queries that still run are given up; a block that is being executed is finished. */
  close(): Promise<void>
}

/** A question whose work the client chooses: up to all gas of a block, or thousands of blocks. */
export type QueryMethod = 'call' | 'estimateGas' | 'logs'

/** A part of a snapshot of the L2: what it holds is named by hashes, and the head names it all. */
export type L2Part =
  | { readonly kind: 'node' | 'code'; readonly items: readonly Uint8Array[] }
  /** Header, transactions and receipts as `rows.ts` has them. */
  | { readonly kind: 'block'; readonly rows: readonly Uint8Array[] }
  | { readonly kind: 'head'; readonly hash: Hex; readonly first: number }

/** A block by hash, by number, or the latest. */
export type BlockRef =
  | { readonly by: 'hash'; readonly hash: Hex }
  | { readonly by: 'number'; readonly number: number }
  | { readonly by: 'latest' }

/** A block's hash and header. */
export type BlockHead = { readonly hash: Hex; readonly header: Header }

/** What executing a list gave: no block when nothing of it could be included. */
export type ExecutionResult = {
  readonly block: BlockSummary | undefined
  readonly receipts: readonly StoredReceipt[]
  readonly dropped: readonly Dropped[]
}

/** A block with its raw transactions. */
export type StoredBlock = BlockHead & {
  readonly transactions: readonly Uint8Array[]
  /** Bytes of the block's RLP. */
  readonly size: number
}

/** What executing one transaction gave. */
export type StoredReceipt = {
  readonly transactionHash: Hex
  readonly type: TransactionType
  readonly from: Hex
  readonly succeeded: boolean
  readonly gasUsed: number
  readonly cumulativeGasUsed: number
  readonly logs: readonly Log[]
  /** 256 bytes. */
  readonly logsBloom: Hex
}

/** What a contract logged. */
export type Log = { readonly address: Hex; readonly topics: readonly Hex[]; readonly data: Hex }

/** A transaction and where it stands. */
export type StoredTransaction = {
  readonly raw: Uint8Array
  readonly from: Hex
  readonly block: BlockHead
  readonly index: number
}

/** An account as a transaction of its would find it. */
export type AccountState = {
  readonly nonce: bigint
  readonly balance: bigint
  /** Code that is no EIP-7702 delegation: such an account sends no transactions (EIP-3607). */
  readonly isContract: boolean
  /** Code that is such a delegation: others can spend its balance and use its nonces. */
  readonly isDelegated: boolean
}

/** Accounts in the order asked for, after the block with that number. */
export type AccountsAtHead = {
  readonly blockNumber: number
  readonly nextBaseFee: bigint
  readonly accounts: readonly AccountState[]
}

/** A message that is executed and forgotten, fields as in `eth_call`. */
export type CallMessage = {
  readonly from?: Hex | undefined
  readonly to?: Hex | undefined
  readonly gas?: bigint | undefined
  /** Most wei a gas unit; 0 or absent lowers the base fee to 0, as geth does. */
  readonly gasPrice?: bigint | undefined
  readonly value?: bigint | undefined
  readonly data?: Uint8Array | undefined
  readonly accessList?: readonly { address: Hex; storageKeys: readonly Hex[] }[] | undefined
  /** Delegations that take effect before it runs (EIP-7702). */
  readonly authorizations?: readonly Authorization[] | undefined
}

/** What a message gave; gas as a transaction would have used it. */
export type CallResult =
  | { readonly status: 'returned'; readonly data: Uint8Array; readonly gasUsed: bigint }
  | { readonly status: 'reverted'; readonly data: Uint8Array; readonly gasUsed: bigint }
  /** Could not run or halted; `message` is geth's. */
  | { readonly status: 'failed'; readonly message: string }

/** The least gas limit found, or why there is none. */
export type EstimateResult =
  | { readonly status: 'estimated'; readonly gas: bigint }
  | Exclude<CallResult, { status: 'returned' }>

/** Blocks by hash, or from one number to another, both included. */
export type LogFilter = {
  readonly blockHash?: Hex | undefined
  readonly fromBlock: number
  readonly toBlock: number
  /** Any of these; empty for all. */
  readonly addresses: readonly Hex[]
  /** By position: any of these, empty for all. */
  readonly topics: readonly (readonly Hex[])[]
}

/** A log and where it was emitted; `logIndex` counts within the block. */
export type FoundLog = Log & {
  readonly block: BlockHead
  readonly transactionHash: Hex
  readonly transactionIndex: number
  readonly logIndex: number
}

/** The logs, or why the query is too large; `message` is for the client. */
export type LogsResult =
  | { readonly status: 'found'; readonly logs: readonly FoundLog[] }
  | { readonly status: 'refused'; readonly message: string }
