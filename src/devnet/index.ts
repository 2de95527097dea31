export { type ChaosKind, chaosKinds } from './chaos.ts'
export { type PriceFeeds, startPriceFeeds } from './feeds.ts'
export { sendFirstTransfer } from './first-transfer.ts'
export { devnetAccount, type L1Process, startL1 } from './l1.ts'
export { createLoad, type Load, type LoadOptions } from './load/load.ts'
export { type DevnetIo, runDevnet } from './main.ts'
export {
  createGenesis,
  createOperators,
  type DevnetOperator,
  l2ChainId,
  loadSecrets,
  loadSenders,
} from './network.ts'
export { createObserver, type Observer, type ObserverOptions } from './observe/observer.ts'
export {
  BadOptionError,
  type DevnetOptions,
  duration,
  parseDevnetOptions,
  type RawDevnetOptions,
} from './options.ts'
export { startRestarts } from './restarts.ts'
export {
  type Devnet,
  deployNetwork,
  genesisFile,
  startDevnet,
  systemClock,
  systemRng,
} from './run.ts'
export { describeSummary, type Summary, summarise } from './summary.ts'
