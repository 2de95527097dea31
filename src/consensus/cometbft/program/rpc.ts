import { Agent, request } from 'node:http'
import { DomainError } from '#primitives'

/** What a CometBFT node says of itself. */
export type CometStatus = {
  readonly nodeId: string
  readonly chainId: string
  readonly height: number
  /** Whether it fetches blocks that the network decided without it. */
  readonly isCatchingUp: boolean
}

/** A CometBFT node's RPC. */
export type CometRpc = {
  /**
   * Hands transactions over without waiting for their check. They are in the node's hands when it
   * resolves, not in its mempool.
   *
   * @throws CometRpcError
   */
  broadcast(transactions: readonly Uint8Array[]): Promise<void>
  /** @throws CometRpcError */
  status(): Promise<CometStatus>
  close(): void
}

/** @param address - `unix://PATH` or `tcp://HOST:PORT`. */
export function createCometRpc(address: string): CometRpc {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  const call = (body: unknown) => post(address, agent, JSON.stringify(body))
  return {
    async broadcast(transactions) {
      const calls = transactions.map((bytes, id) => {
        const tx = Buffer.from(bytes).toString('base64')
        return { jsonrpc: '2.0', id, method: 'broadcast_tx_async', params: { tx } }
      })
      await call(calls)
    },
    async status() {
      const answer = await call({ jsonrpc: '2.0', id: 0, method: 'status', params: {} })
      return statusIn(address, answer)
    },
    close: () => agent.destroy(),
  }
}

/** How long an answer may take. */
const timeoutMs = 10_000

function post(address: string, agent: Agent, body: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const fail = (cause: unknown) =>
    reject(new CometRpcError(`CometBFT at ${address}: ${String(cause)}`, { address }, cause))
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const options = { ...placeOf(address), agent, method: 'POST', path: '/', headers }
  const asked = request({ ...options, timeout: timeoutMs }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', fail)
    response.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      if (response.statusCode === 200) resolve(text)
      else fail(`answered ${response.statusCode}: ${text.slice(0, 200)}`)
    })
  })
  asked.on('timeout', () => asked.destroy(new Error(`no answer in ${timeoutMs} ms`)))
  asked.on('error', fail)
  asked.end(body)
  return promise
}

function placeOf(address: string) {
  if (address.startsWith('unix://')) return { socketPath: address.slice('unix://'.length) }
  const { hostname, port } = new URL(address.replace(/^tcp:/, 'http:'))
  return { hostname, port }
}

function statusIn(address: string, answer: string): CometStatus {
  try {
    const { node_info: node, sync_info: sync } = JSON.parse(answer).result
    const height = Number(sync.latest_block_height)
    if (!Number.isSafeInteger(height)) throw new Error('no height')
    return {
      nodeId: String(node.id),
      chainId: String(node.network),
      height,
      isCatchingUp: sync.catching_up === true,
    }
  } catch (cause) {
    const message = `CometBFT at ${address} answers what is no status: ${answer.slice(0, 200)}`
    throw new CometRpcError(message, { address }, cause)
  }
}

/** CometBFT does not answer, or refuses. */
export class CometRpcError extends DomainError<'CometRpcFailed', { readonly address: string }> {
  override readonly code = 'CometRpcFailed'
}
