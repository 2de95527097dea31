import type { Devnet } from './run.ts'
import { devnetAccount } from './l1.ts'
import { l2ChainId } from './network.ts'

/** Accounts whose keys are printed: enough to try things with. */
const printedAccounts = 3

/** What a newcomer needs to use a running network, line by line. */
export function announcement(devnet: Devnet): readonly string[] {
  const accounts = Array.from({ length: printedAccounts }, (_, i) => devnetAccount(i))
  const [first] = devnet.gateways()
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
  ]
}

/** Tells of every checkpoint once when it is certified, and once when L1 has recorded it. */
export function followCheckpoints(devnet: Devnet, write: (line: string) => void): void {
  const [observer] = devnet.operators.values()
  observer?.application.onCommitted(({ before, after }) => {
    if (before.checkpoints === after.checkpoints) return
    for (const entry of after.checkpoints.values()) {
      const { checkpoint, status, recorded, certifiedMs } = entry
      const known = before.checkpoints.get(String(checkpoint.index))
      const name = `checkpoint ${checkpoint.index}`
      if (status === 'certified' && known?.status !== 'certified')
        write(
          `${clockTime(certifiedMs)}  ${name} certified: ${checkpoint.size} leaves, ` +
            `root ${checkpoint.root.slice(0, 12)}…, window opens for operator ${checkpoint.submitters[0]}`,
        )
      if (recorded && !known?.recorded)
        write(
          `${clockTime(recorded.timeS * 1000)}  ${name} on L1: block ${recorded.block}, ` +
            `by operator ${recorded.operator}${recorded.window > 0 ? ' as fallback' : ''}, ` +
            `transaction ${recorded.transaction}`,
        )
    }
  })
}

const clockTime = (timeMs: number): string => new Date(timeMs).toISOString().slice(11, 19)
