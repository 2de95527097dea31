export {
  type Assemblies,
  type Assembly,
  addPart,
  announce,
  fill,
  look,
  nextWant,
} from './assembly.ts'
export {
  type Block,
  BlockMismatchError,
  type Commit,
  type Header,
  maxBlockBytes,
  openBlock,
  type SealedBlock,
  toProposed,
} from './block.ts'
export {
  type BlockStore,
  createMemoryBlockStore,
  openFileBlockStore,
  type Retention,
} from './block-store.ts'
export { createEmbeddedEngine, type EmbeddedEngine, type EngineStatus } from './engine.ts'
export { type Framed, frame, frameHeadBytes, unframe } from './frame.ts'
export {
  type ConsensusLog,
  createMemoryLog,
  type LogRecord,
  type MemoryLog,
  openFileLog,
} from './log.ts'
export { decodeMessage, encodeMessage, type Message } from './messages.ts'
export { type Owner, ownerHeader, readOwner, whoseFile } from './owner.ts'
export {
  CorruptFileError,
  hasFile,
  openRecordFile,
  type RecordFile,
  type RecordFilePlan,
  readHeader,
  WrongFileError,
} from './record-file.ts'
export { MissingBlockError, StoreBehindError } from './recovery.ts'
export {
  AppHashDivergedError,
  type Decision,
  defaultTiming,
  type EngineOptions,
  type Timing,
} from './runtime.ts'
export { voteSignBytes } from './sign-bytes.ts'
export {
  compareSlots,
  createMemoryGuard,
  createSigner,
  createVerifier,
  type Signer,
  type SignGuard,
  type SignSlot,
  type Verifier,
} from './signer.ts'
export type { StoredBlock } from './stored-block.ts'
export { createTransport, type DropRule, type Link, type Transport } from './transport.ts'
