export { systemClock, systemRng } from '#node'
export { type ChaosKind, chaosKinds } from './chaos.ts'
export type { Devnet, EmbeddedDevnet } from './devnet.ts'
export type { Adapt } from './embedded-operators.ts'
export { startPriceFeeds } from './feeds.ts'
export { sendFirstTransfer } from './first-transfer.ts'
export { freePorts } from './free-port.ts'
export { startIncidents } from './incidents.ts'
export { devnetAccount, type L1Process, startL1 } from './l1.ts'
export { requireL1AtRest } from './l1-adopt.ts'
export { createLoad, type Load, type LoadOptions } from './load/load.ts'
export { type DevnetIo, runDevnet, startLoad } from './main.ts'
export {
  createGenesis,
  createOperators,
  type DevnetOperator,
  l2ChainId,
  loadSecrets,
  loadSenders,
} from './network.ts'
export { ownerInDevnet, saveNetwork } from './network-file.ts'
export { createObserver, type Observer, type ObserverOptions } from './observe/observer.ts'
export type { Outage } from './observe/outages.ts'
export {
  BadOptionError,
  type DevnetOptions,
  duration,
  parseDevnetOptions,
  type RawDevnetOptions,
} from './options.ts'
export type { AdaptSettings, ReachedProcess } from './process-operators.ts'
export {
  deployNetwork,
  type ProcessPlan,
  startDevnet,
  startNetwork,
  startProcessNetwork,
} from './run.ts'
export { describeSummary, type Summary, summarise } from './summary.ts'
