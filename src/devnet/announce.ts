import { systemClock } from './clock.ts'
import { devnetAccount } from './l1.ts'
import { l2ChainId } from './network.ts'
import type { Devnet } from './run.ts'

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

/**
 * Tells of every checkpoint once when it is certified, and once when the network knows that L1 has
 * recorded it; the time in front is that of telling.
 */
export function followCheckpoints(devnet: Devnet, write: (line: string) => void): void {
  const [observer] = devnet.operators.values()
  observer?.application.onCommitted(({ before, after }) => {
    if (before.checkpoints === after.checkpoints) return
    const now = new Date(systemClock.nowMs()).toISOString().slice(11, 19)
    for (const entry of after.checkpoints.values()) {
      const { checkpoint, status, recorded } = entry
      const known = before.checkpoints.get(String(checkpoint.index))
      const name = `checkpoint ${checkpoint.index}`
      if (status === 'certified' && known?.status !== 'certified')
        write(
          `${now}  ${name} certified: ${counted(checkpoint.size, 'leaf', 'leaves')}, ` +
            `root ${checkpoint.root.slice(0, 12)}…, window opens for operator ${checkpoint.submitters[0]}`,
        )
      if (recorded && !known?.recorded)
        write(
          `${now}  ${name} on L1: block ${recorded.block}, ` +
            `by operator ${recorded.operator}${recorded.window > 0 ? ' as fallback' : ''}, ` +
            `transaction ${recorded.transaction}`,
        )
    }
  })
}

const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`
