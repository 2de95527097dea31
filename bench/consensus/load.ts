import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CometConnection, connect, transactionsOf } from './comet-rpc.ts'

/** What a load of transactions came to, seen by who sent it. */
export type LoadResult = {
  readonly sent: number
  /** In blocks by the end of the wait. */
  readonly included: number
  /** Mean time from sending to the news of the block, milliseconds. */
  readonly meanMs: number
  readonly p99Ms: number
  /** Included transactions a second, while the load lasts. */
  readonly perSecond: number
}

/** Transactions of one tick are sent together. */
const tickMs = 10

/** What to send, how fast, and how long to wait for the last block. */
export type Load = {
  readonly transactions: readonly Uint8Array[]
  readonly perSecond: number
  readonly settleMs: number
}

/** Sends through all nodes in turn, and follows the blocks of the first. */
export async function runLoad(rpcUrls: readonly string[], load: Load): Promise<LoadResult> {
  const blocks = new Map<number, number>()
  const [first = '', ...others] = rpcUrls
  const connections = await Promise.all([
    connect(first, (height) => blocks.set(height, performance.now())),
    ...others.map((url) => connect(url)),
  ])
  const sentMs = new Map<string, number>()
  const startedMs = performance.now()
  await sendAll(connections, load, sentMs)
  const endedMs = performance.now()
  const places = await settle(first, blocks, sentMs, endedMs + load.settleMs)
  for (const connection of connections) connection.close()
  return summarise(sentMs, places, { startedMs, endedMs })
}

async function sendAll(
  connections: readonly CometConnection[],
  { transactions, perSecond }: Load,
  sentMs: Map<string, number>,
): Promise<void> {
  const startedMs = performance.now()
  let place = 0
  while (place < transactions.length) {
    const due = Math.min(
      transactions.length,
      Math.ceil(((performance.now() - startedMs) / 1000) * perSecond),
    )
    for (; place < due; place++) {
      const transaction = transactions[place] as Uint8Array
      connections[place % connections.length]?.send(transaction)
      sentMs.set(Buffer.from(transaction).toString('base64'), performance.now())
    }
    await sleep(tickMs)
  }
}

/** When a transaction's block was heard of, by transaction. */
type Places = ReadonlyMap<string, number>

/** Reads every block that was heard of, until all is included or the time is over. */
async function settle(
  rpcUrl: string,
  blocks: ReadonlyMap<number, number>,
  sentMs: ReadonlyMap<string, number>,
  untilMs: number,
): Promise<Places> {
  const places = new Map<string, number>()
  const read = new Set<number>()
  // Once at least: where nothing is waited for, the blocks of the load itself are to be read.
  do {
    for (const [height, heardMs] of blocks) {
      if (read.has(height) || heardMs > untilMs) continue
      read.add(height)
      for (const transaction of await transactionsOf(rpcUrl, height))
        if (sentMs.has(transaction)) places.set(transaction, heardMs)
    }
    await sleep(tickMs)
  } while (places.size < sentMs.size && performance.now() < untilMs)
  return places
}

function summarise(
  sentMs: ReadonlyMap<string, number>,
  places: Places,
  { startedMs, endedMs }: { readonly startedMs: number; readonly endedMs: number },
): LoadResult {
  const waits = [...places]
    .map(([transaction, heardMs]) => heardMs - (sentMs.get(transaction) ?? Number.NaN))
    .toSorted((a, b) => a - b)
  const withinLoad = [...places.values()].filter((heardMs) => heardMs <= endedMs).length
  return {
    sent: sentMs.size,
    included: places.size,
    meanMs: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    p99Ms: waits[Math.floor(waits.length * 0.99)] ?? Number.NaN,
    perSecond: (withinLoad / (endedMs - startedMs)) * 1000,
  }
}
