export { sequencerComputation } from './computation.ts'
export { createEngine, type EngineOptions, minKeptBlocks } from './engine/engine.ts'
export { createMemoryStore } from './engine/memory-store.ts'
export { type QueryBounds, queryBounds } from './engine/query-client.ts'
export type { Recover, RecoverLater } from './engine/recover.ts'
export { l2SnapshotItems } from './engine/snapshot-items.ts'
export { BadL2SnapshotError, type NextItem, readL2Snapshot } from './engine/snapshot-restore.ts'
export {
  openSqliteReader,
  openSqliteStore,
  type SqliteStoreOptions,
} from './engine/sqlite-store.ts'
export * from './engine/types.ts'
export { createWorkerEngine } from './engine/worker-client.ts'
export { EngineWorkerError, type WorkerSetup } from './engine/worker-protocol.ts'
export { createPool, type Pool, type PooledTransaction, type PoolOptions } from './pool/pool.ts'
export { RpcFailure, type RpcFailureCode } from './rpc/failure.ts'
export type { RpcMethod, RpcParts } from './rpc/parts.ts'
export { createEthereumRpc } from './rpc/rpc.ts'
export { type BlockSummary, decodeInput, decodeOutput, type L2Head } from './state/computation.ts'
export { type TransactionType, transactionTypes } from './state/ethereum-transaction.ts'
export { type L2Genesis, type NewL2Chain, readL2Genesis, writeL2Genesis } from './state/genesis.ts'
export { l2Head, sequencerService, sequencerSpec } from './state/service.ts'
export { type TransactionPlace, transactionPlace } from './transaction-place.ts'
