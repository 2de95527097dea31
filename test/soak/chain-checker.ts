// Follows the L2 through JSON-RPC across restarts: every block once read must stay what it was.
import { createClient } from '#api'
import type { Hex } from '#primitives'

/** Knows every L2 block and transaction that any gateway has shown. */
export type ChainChecker = {
  /** Reads what is new, and the last known blocks again; nothing while nobody serves. */
  look(): Promise<void>
  /** Reads every block of every gateway again, and none may be missing. */
  lookAgain(): Promise<void>
  /** Blocks seen. */
  height(): number
  /** Transactions seen in two blocks. */
  readonly twice: readonly Hex[]
  readonly problems: readonly string[]
}

type L2Block = {
  readonly hash: Hex
  readonly parentHash: Hex
  readonly stateRoot: Hex
  readonly transactions: readonly Hex[]
}

/** Blocks below the head that are read again each time. */
const readAgain = 10

/** @param gateways - of all operators. */
export function createChainChecker(gateways: readonly string[]): ChainChecker {
  const blocks = new Map<number, L2Block>()
  const placeOf = new Map<Hex, number>()
  const twice: Hex[] = []
  const problems: string[] = []
  const see = (number: number, block: L2Block) => {
    const known = blocks.get(number)
    if (known && (known.hash !== block.hash || known.stateRoot !== block.stateRoot))
      problems.push(`L2 block ${number} was ${known.hash}, and is ${block.hash}`)
    const parent = blocks.get(number - 1)
    if (parent && parent.hash !== block.parentHash)
      problems.push(`L2 block ${number} does not follow block ${number - 1}`)
    for (const hash of block.transactions) {
      if ((placeOf.get(hash) ?? number) !== number) twice.push(hash)
      placeOf.set(hash, number)
    }
    blocks.set(number, known ?? block)
  }
  const read = async (client: Client, from: number): Promise<number> => {
    const head = Number(await client.request('eth_blockNumber', []))
    for (let number = from; number <= head; number++) {
      const params = [`0x${number.toString(16)}`, false]
      const block = await client.request('eth_getBlockByNumber', params)
      if (!block) return number - 1
      see(number, block as L2Block)
    }
    return head
  }
  const all = createClient(gateways)
  return {
    async look() {
      // Who does not serve yet, or lags, is compared the next time.
      await read(all, Math.max(0, blocks.size - readAgain)).catch(() => 0)
    },
    async lookAgain() {
      const height = blocks.size - 1
      for (const url of gateways) {
        const head = await read(createClient([url]), 0).catch(() => -1)
        if (head < height) problems.push(`the L2 of ${url} ends at ${head}, not ${height}`)
      }
    },
    height: () => blocks.size - 1,
    twice,
    problems,
  }
}

type Client = ReturnType<typeof createClient>
