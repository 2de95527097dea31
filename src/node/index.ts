export { proposeAllocation, toModel } from './allocator.ts'
export { type CommittedBlock, type Compute, LedgerApplication } from './application.ts'
export { restoreBundle, saveBundle } from './bundle.ts'
export { createDisk, DiskFullError } from './disk.ts'
export { createEnvironment, type FindService } from './environment.ts'
export { makeFolders } from './folders.ts'
export { PortInUseError } from './gateway/gateway.ts'
export { exportWatermark, importWatermark, ownerInFolder } from './guard/carry.ts'
export { consensusGuard } from './guard/consensus-guard.ts'
export {
  type Guard,
  guardFile,
  makeGuard,
  openGuard,
  restoredFile,
  restoredText,
} from './guard/guard.ts'
export { type FolderLock, lockFile, lockFolder } from './guard/lock.ts'
export { type Floor, type GuardOwner, type GuardRecord, guardRecordCodec } from './guard/records.ts'
export { NonceHeldError, transactionGuard } from './guard/transaction-guard.ts'
export { awaitInterruption, interruptedCode } from './interruption.ts'
export {
  addressOfSecret,
  generateSecrets,
  identityOf,
  type OperatorIdentity,
  type OperatorSecrets,
} from './keys.ts'
export type { L1Switches } from './l1-duties.ts'
export { type LedgerKeeper, ledgerFile, openLedgerKeeper } from './ledger-keeper.ts'
export { createLogger, type LogLevel, logLevels } from './logging.ts'
export { type CallPool, Mempool } from './mempool.ts'
export { recover, recoverLaterIn } from './native-recover.ts'
export {
  GenesisFileError,
  genesisFile,
  loadGenesis,
  loadOperatorFolder,
  saveOperatorFolder,
} from './operator-folder.ts'
export { type OperatorKeys, OperatorKeysError, operatorKeysCodec } from './operator-keys.ts'
export type {
  CometChoice,
  ConsensusChoice,
  OperatorOptions,
  RunningOperator,
} from './operator-parts.ts'
export { OutboxIndex } from './outbox-index.ts'
export { createPassedCalls } from './passed-calls.ts'
export { loadSecp256k1, type RecoverPublicKey, recoverAddressWith } from './recover.ts'
export type { SignedDigest } from './recover-batch.ts'
export { RecoverThread } from './recover-thread.ts'
export type { Answers } from './reporter.ts'
export { seal, unseal } from './sealed-file.ts'
export { type L2, l2File, openL2, shareL2 } from './sequencer-host.ts'
export {
  loadSettings,
  type OperatorSettings,
  type OperatorSettingsFile,
  readSettings,
  SettingsError,
  saveSettings,
  settingsFile,
} from './settings.ts'
export { type StartOptions, startFromFolder } from './start.ts'
export { LedgerStore } from './store/ledger-store.ts'
export { openSqliteDatabase } from './store/sqlite-database.ts'
export { systemClock, systemRng } from './system.ts'
export { findTrust, type Trust, TrustFailedError, type TrustSearch } from './trust.ts'
export { loadFile, saveFile } from './whole-file.ts'
export { SupersededError, startOperator } from './wire.ts'
