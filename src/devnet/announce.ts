import { createClient } from '#api'
import { systemClock } from '#node'
import type { Logger } from '#primitives'
import type { Devnet } from './devnet.ts'
import { devnetAccount } from './l1.ts'
import { l2ChainId } from './network.ts'
import { type Loop, startLoop } from './observe/loop.ts'

/** Accounts whose keys are printed: enough to try things with. */
const printedAccounts = 3

/** What a newcomer needs to use a running network, line by line. */
export function announcement(devnet: Devnet): readonly string[] {
  const accounts = Array.from({ length: printedAccounts }, (_, i) => devnetAccount(i))
  const [first] = devnet.gateways()
  const rpc = first === usualGateway ? '' : ` --rpc ${first}`
  return [
    '',
    `NodeOP devnet with ${devnet.operators.size} operators is up.`,
    '',
    `  Ethereum JSON-RPC (L2)  ${first}   chain id ${l2ChainId}`,
    ...devnet
      .gateways()
      .slice(1)
      .map((url) => `                          ${url}`),
    `  Page                    ${first}/`,
    `  L1 (anvil)              ${devnet.l1.url}   chain id ${devnet.l1.chainId}`,
    `  Outbox on L1            ${devnet.genesis.outbox}`,
    '',
    '  Funded accounts on L2 and for task fees (published keys, no secrets):',
    ...accounts.map(({ address, privateKey }) => `    ${address}  ${privateKey}`),
    '',
    `  Ask for a price         npm run nodeop -- task send price ETH/USD --wait${rpc}`,
    '  End                     Ctrl-C: what was accepted still goes to L1, then a summary is printed',
    '',
  ]
}

/** Where the commands look when they are not told. */
const usualGateway = 'http://127.0.0.1:8545'

/** How often the network is asked for checkpoints, and for how many. */
const askMs = 250
const asked = 20

/**
 * Tells of every checkpoint once when it is certified, and once when the network knows that L1 has
 * recorded it, from now on; the time in front is that of telling.
 */
export function followCheckpoints(
  { gateways }: Pick<Devnet, 'gateways'>,
  logger: Logger,
  write: (line: string) => void,
): Loop {
  const client = createClient(gateways())
  const told = new Set<string>()
  let isNew = false
  const tell = (key: string, words: string) => {
    if (told.has(key)) return
    told.add(key)
    if (!isNew) return
    write(`${new Date(systemClock.nowMs()).toISOString().slice(11, 19)}  ${words}`)
  }
  const look = async () => {
    for (const one of (await client.nodeop_checkpoints(asked)).toReversed()) {
      const { index, size, root, submitters, certifiedMs, l1 } = one
      const name = `checkpoint ${index}`
      if (certifiedMs > 0)
        tell(
          `${index} certified`,
          `${name} certified: ${counted(size, 'leaf', 'leaves')}, root ${root.slice(0, 12)}…, ` +
            `window opens for operator ${submitters[0]}`,
        )
      if (l1)
        tell(
          `${index} on L1`,
          `${name} on L1: block ${l1.block}, by operator ${l1.operator ?? 0}` +
            `${(l1.window ?? 0) > 0 ? ' as fallback' : ''}, transaction ${l1.transaction}`,
        )
    }
    isNew = true
  }
  return startLoop(systemClock, askMs, look, logger)
}

const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`
