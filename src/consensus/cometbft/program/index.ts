export {
  type CometBinary,
  CometMissingError,
  cometToolsFolder,
  findComet,
  requireMempool,
} from './binary.ts'
export {
  type CometConfig,
  type CometMempool,
  type CometPeers,
  type CometStateSync,
  type CometTiming,
  cometMempools,
  cometTimings,
  configToml,
} from './config.ts'
export { makeFolder } from './folder.ts'
export { type CometGenesis, genesisJson } from './genesis.ts'
export {
  type CometHome,
  raiseSignState,
  SignStateLostError,
  WrongEngineError,
  writeHome,
} from './home.ts'
export { nodeIdOf, nodeSeedOf, publicKeyOf } from './keys.ts'
export { CometDiedError, type CometProgram, endLeftOver } from './process.ts'
export { endProcess, isRunning } from './processes.ts'
export { cometModule, cometVersion, cometVersionOf, cometVersions } from './release.ts'
export { type CometRpc, CometRpcError, type CometStatus, createCometRpc } from './rpc.ts'
export { SocketFolderError, socketFolder } from './sockets.ts'
export { CometSupervisor } from './supervise.ts'
