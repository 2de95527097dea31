export { type ChaosKind, chaosKinds } from './chaos.ts'
export { devnetAccount } from './l1.ts'
export { type DevnetIo, runDevnet } from './main.ts'
export { l2ChainId } from './network.ts'
export {
  BadOptionError,
  type DevnetOptions,
  duration,
  parseDevnetOptions,
  type RawDevnetOptions,
} from './options.ts'
export { type Devnet, genesisFile, startDevnet } from './run.ts'
