import type { Verdict } from '#records'
import type { Engine } from '../engine/types.ts'
import type { Pool } from '../pool/pool.ts'
import type { Parameters } from './parameters.ts'

/**
 * A method: positional parameters to result. Once the signal is aborted, nobody waits for it.
 *
 * @throws RpcFailure with geth's code and message.
 */
export type RpcMethod = (params: Parameters, signal?: AbortSignal) => Promise<unknown>

/** What the methods work on. */
export type RpcParts = {
  readonly engine: Engine
  readonly pool: Pick<Pool, 'pendingNonce' | 'get' | 'take'>
  readonly chainId: number
  /** Name and version that clients see, such as `nodeop/1.2.3`. */
  readonly clientVersion: string
  /** Whether the chain here is replayed, or does not follow the network. */
  readonly isBehind: () => boolean
  /** Hands a signed transaction to the network; a refusal's `detail` is shown to the client. */
  readonly submit: (raw: Uint8Array) => Promise<Verdict>
}
