import type { Log } from 'viem'
import type { Clock, Hex, Logger } from '#primitives'
import type { L1Client } from './client.ts'
import type { FeePolicy, Fees } from './fees.ts'

/** Who signs for an L1 account: a key in memory, or a signer elsewhere. */
export type L1Signer = {
  readonly address: Hex
  signTransaction(transaction: L1Transaction): Promise<Hex>
}

/** An EIP-1559 transaction as it is signed; fees in wei per gas. */
export type L1Transaction = {
  readonly type: 'eip1559'
  readonly chainId: number
  readonly nonce: number
  readonly to: Hex
  readonly data: Hex
  readonly value: bigint
  readonly gas: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** What an account shall have done on L1. */
export type L1Call = {
  readonly to: Hex
  readonly data: Hex
  readonly valueWei?: bigint
  /** Gas limit; estimated by the node when absent. */
  readonly gas?: bigint
}

/** A transaction in a block: not yet final, but at the head. */
export type L1Receipt = {
  readonly transaction: Hex
  readonly block: number
  /** Whether it did what it was sent for, or reverted. */
  readonly success: boolean
  readonly gasUsed: bigint
  readonly feeWei: bigint
  readonly logs: readonly Log[]
}

/** Why a call did not get into a block. */
export type SendRefusal =
  | 'AccountBusy'
  | 'AccountStopped'
  | 'CallReverts'
  | 'GuardRefused'
  | 'InsufficientL1Funds'
  | 'L1Rejected'
  | 'L1Unreachable'
  | 'NonceTaken'
  | 'NotMined'
  | 'SignerFailed'

/** How a call ended. */
export type SendOutcome =
  | { readonly ok: true; readonly receipt: L1Receipt }
  | { readonly ok: false; readonly reason: SendRefusal }

/** What an account needs. */
export type L1AccountOptions = {
  readonly client: L1Client
  readonly signer: L1Signer
  readonly chainId: number
  readonly clock: Clock
  readonly logger: Logger
  readonly pollMs?: number
  readonly fees?: FeePolicy
  /** Blocks without being mined after which a transaction is replaced by one that offers more. */
  readonly replaceAfterBlocks?: number
  /** Blocks after which a call is given up; its nonce then goes to the next call. */
  readonly giveUpAfterBlocks?: number
  /**
   * Makes durable, before anything is signed, that a nonce is for this call. `digest` covers all
   * but the fees, so that a raise is the same call. Throwing refuses the signature.
   */
  readonly beforeSign?: (nonce: number, digest: Hex) => Promise<void> | void
  /** Told, before the nonce can go to another call, that the call under it has ended. */
  readonly onEnded?: (nonce: number) => Promise<void> | void
}

/** What an account keeps; only `account.ts`, `sender.ts` and `tracker.ts` change it. */
export type AccountState = {
  readonly options: L1AccountOptions
  readonly address: Hex
  readonly fees: FeePolicy
  readonly pollMs: number
  readonly replaceAfterBlocks: number
  readonly giveUpAfterBlocks: number
  /** By nonce. */
  readonly pending: Map<number, Pending>
  /** Calls that were made and are not in `pending` yet. */
  waiting: number
  /** One thing at a time: ends when the last thing begun has ended. */
  lane: Promise<void>
  /** L1 block at the last check. */
  head: number
  /** Checks that failed since the last good one. */
  failures: number
  stopped: boolean
  /** Whether a check is due or under way, and what ends its timer. */
  watching: boolean
  cancel: () => void
}

/** One call under its nonce, in all the variants signed for it. */
export type Pending = {
  readonly call: L1Call
  readonly gas: bigint
  readonly nonce: number
  fees: Fees
  /** The latest variant, and the hashes of all of them. */
  raw: Hex
  readonly hashes: Hex[]
  /** L1 block when the first and the latest variant were sent. */
  readonly firstBlock: number
  sinceBlock: number
  /** Checks at which the nonce was used and no variant had a receipt. */
  missing: number
  /** How often a stranger's transaction took the nonce of this call. */
  readonly displaced: number
  /** Whether the node ever had it. */
  seen: boolean
  /** Given up: the caller was told, and the nonce is free for the next call. */
  abandoned: boolean
  readonly resolve: (outcome: SendOutcome) => void
}
