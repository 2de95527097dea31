export { appStateOf, type Chain, chainIdOf, WrongGenesisError } from './chain.ts'
export type { ConnectionEnd } from './connection.ts'
export {
  type AbciServer,
  type ListenAt,
  type ServeOptions,
  SocketFailedError,
  serveApplication,
} from './server.ts'
export { addressOf } from './validators.ts'
