import type { Hex } from '#primitives'
import { blockMethods } from './blocks.ts'
import { callMethods } from './calls.ts'
import { feeMethods } from './fees.ts'
import { logMethods } from './logs.ts'
import type { RpcMethod, RpcParts } from './parts.ts'
import { stateMethods } from './state.ts'
import { transactionMethods } from './transactions.ts'

/** Ethereum's JSON-RPC over one operator's engine and pool, by method name. */
export function createEthereumRpc(parts: RpcParts): Record<string, RpcMethod> {
  return {
    ...networkMethods(parts),
    ...stateMethods(parts),
    ...blockMethods(parts),
    ...transactionMethods(parts),
    ...callMethods(parts),
    ...feeMethods(parts),
    ...logMethods(parts),
  }
}

const networkMethods = ({ chainId, clientVersion }: RpcParts): Record<string, RpcMethod> => ({
  eth_chainId: async (): Promise<Hex> => `0x${chainId.toString(16)}`,
  eth_syncing: async () => false,
  eth_accounts: async () => [],
  net_version: async () => chainId.toString(),
  net_listening: async () => true,
  web3_clientVersion: async () => clientVersion,
})
