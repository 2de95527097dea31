// Follows the L2 through JSON-RPC across restarts: every block once read must stay what it was.
import { createClient } from '#api'
import type { Hex } from '#primitives'

/** Knows every L2 block and transaction that any gateway has shown. */
export type ChainChecker = {
  /** Reads what is new, and the last known blocks again. */
  look(): Promise<void>
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

/** @param gateways - as `createClient` takes them. */
export function createChainChecker(gateways: readonly string[]): ChainChecker {
  const client = createClient(gateways)
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
  return {
    async look() {
      const answer = await client.request('eth_blockNumber', []).catch(() => undefined)
      if (answer === undefined) return // nobody serves yet: what is known is compared next time
      const head = Number(answer)
      if (head < blocks.size - 1)
        problems.push(`the L2 fell from block ${blocks.size - 1} to ${head}`)
      for (let number = Math.max(0, blocks.size - readAgain); number <= head; number++) {
        const block = await client.request('eth_getBlockByNumber', [
          `0x${number.toString(16)}`,
          false,
        ])
        if (block) see(number, block as L2Block)
      }
    },
    height: () => blocks.size - 1,
    twice,
    problems,
  }
}
