import { type CometGenesis, maxBlockBytes } from '#consensus'
import { networkId } from '#records'
import type { PayloadNetwork } from './payload-operator.ts'

/** What CometBFT has to know of a network of payloads. */
export const genesisOf = ({ genesis }: PayloadNetwork): CometGenesis => ({
  networkId: networkId(genesis),
  appVersion: 1,
  timeMs: genesis.timeMs,
  validators: genesis.operators.map(({ consensusKey, power }) => ({ consensusKey, power })),
  maxTransactionBytes: maxBlockBytes,
})
