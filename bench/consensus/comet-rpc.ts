import { once } from 'node:events'

/** One connection to a CometBFT node's JSON-RPC over WebSocket. */
export type CometConnection = {
  /** Hands a transaction over; the node answers before it has looked at it. */
  readonly send: (transaction: Uint8Array) => void
  readonly close: () => void
}

/**
 * Connects to a node.
 *
 * @param onBlock - told the height of each block that the node has committed, when it is heard.
 */
export async function connect(
  rpcUrl: string,
  onBlock?: (height: number) => void,
): Promise<CometConnection> {
  const socket = new WebSocket(`${rpcUrl.replace('http', 'ws')}/websocket`)
  await once(socket, 'open')
  const call = (method: string, params: object) =>
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
  if (onBlock) {
    socket.addEventListener('message', ({ data }) => {
      const text = String(data)
      // Answers to what was sent come here too, at a high rate: only events hold a header.
      if (text.includes('"header"')) onBlock(heightOf(text))
    })
    call('subscribe', { query: "tm.event='NewBlockHeader'" })
  }
  return {
    send: (transaction) =>
      call('broadcast_tx_async', { tx: Buffer.from(transaction).toString('base64') }),
    close: () => socket.close(),
  }
}

type HeaderEvent = {
  readonly result: {
    readonly data: { readonly value: { readonly header: { readonly height: string } } }
  }
}

const heightOf = (text: string): number =>
  Number((JSON.parse(text) as HeaderEvent).result.data.value.header.height)

/** The answer of one RPC method. */
export async function ask<Result>(rpcUrl: string, path: string): Promise<Result> {
  const answer = await fetch(`${rpcUrl}/${path}`)
  const { result, error } = (await answer.json()) as { result?: Result; error?: unknown }
  if (result === undefined) throw new Error(`${path}: ${JSON.stringify(error)}`)
  return result
}

/** Transactions of a block, as they stand in it. */
export async function transactionsOf(rpcUrl: string, height: number): Promise<readonly string[]> {
  type Block = { readonly block: { readonly data: { readonly txs: readonly string[] | null } } }
  const { block } = await ask<Block>(rpcUrl, `block?height=${height}`)
  return block.data.txs ?? []
}
