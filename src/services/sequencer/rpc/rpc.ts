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

const networkMethods = ({
  engine,
  chainId,
  clientVersion,
  isBehind,
}: RpcParts): Record<string, RpcMethod> => ({
  eth_chainId: async (): Promise<Hex> => `0x${chainId.toString(16)}`,
  eth_syncing: async () => isBehind() && syncing((await engine.head()).header.number),
  eth_accounts: async () => [],
  net_version: async () => chainId.toString(),
  net_listening: async () => true,
  web3_clientVersion: async () => clientVersion,
})

/**
 * What `eth_syncing` says of a chain that is behind. How far the network is, it learns only by
 * getting there, so that the highest block it knows is its own.
 */
function syncing(block: number) {
  const currentBlock: Hex = `0x${block.toString(16)}`
  return { startingBlock: '0x0', currentBlock, highestBlock: currentBlock }
}
