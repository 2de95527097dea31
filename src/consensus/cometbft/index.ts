export { idleWaitMs, type Patience } from './awaited-work.ts'
export { encodeBatch } from './batch.ts'
export { appStateOf, type Chain, chainIdOf, WrongGenesisError } from './chain.ts'
export {
  type CometEngineOptions,
  type CometHold,
  createCometEngine,
  KeyInUseError,
  type SignRecord,
} from './comet-engine.ts'
export type { ConnectionEnd } from './connection.ts'
export { FrameReader, toFrame } from './frames.ts'
export {
  type Request as AbciRequest,
  RequestSchema,
  type Response as AbciResponse,
  ResponseSchema,
} from './messages/abci_pb.ts'
export * from './program/index.ts'
export {
  type AbciServer,
  type ListenAt,
  type ServeOptions,
  SocketFailedError,
  serveApplication,
} from './server.ts'
export type {
  ChunkFault,
  OfferFault,
  Snapshot,
  SnapshotPort,
  SnapshotVerdict,
} from './snapshots.ts'
