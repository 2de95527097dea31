import { toHex } from '#primitives'
import { RpcFailure } from './failure.ts'
import { quantity } from './format.ts'
import { addressAt, blockAt, stateBlockAt, storageKeyAt } from './parameters.ts'
import type { RpcMethod, RpcParts } from './parts.ts'

/** Methods on the accounts after a block. */
export const stateMethods = ({ engine, pool }: RpcParts): Record<string, RpcMethod> => ({
  eth_getBalance: async (params) =>
    quantity(known(await engine.account(addressAt(params, 0), stateBlockAt(params, 1))).balance),
  eth_getTransactionCount: async (params) => {
    const address = addressAt(params, 0)
    const waiting = blockAt(params, 1).by === 'pending' ? pool.pendingNonce(address) : undefined
    if (waiting !== undefined) return quantity(waiting)
    return quantity(known(await engine.account(address, stateBlockAt(params, 1))).nonce)
  },
  eth_getCode: async (params) =>
    toHex(known(await engine.code(addressAt(params, 0), stateBlockAt(params, 1)))),
  eth_getStorageAt: async (params) =>
    known(
      await engine.storage(addressAt(params, 0), storageKeyAt(params, 1), stateBlockAt(params, 2)),
    ),
})

/** What a stored block gave. @throws RpcFailure when there is no such block. */
export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new RpcFailure('HeaderNotFound', 'header not found')
  return value
}
