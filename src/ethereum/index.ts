export { createL1Account, type L1Account, signerFromKey } from './account.ts'
export * from './artifacts/index.ts'
export { createL1Client, type L1Client, rpcMessage } from './client.ts'
export * from './contracts.ts'
export * from './deliverer.ts'
export { type L1Contracts, L1DataError } from './events.ts'
export { defaultFeePolicy, type FeePolicy } from './fees.ts'
export type { HistoryPoint } from './history.ts'
export { createL1Listener, type L1Listener, type L1ListenerOptions } from './listener.ts'
export * from './submitter.ts'
export type {
  L1AccountOptions,
  L1Call,
  L1Receipt,
  L1Signer,
  L1Transaction,
  SendOutcome,
  SendRefusal,
} from './transaction.ts'
