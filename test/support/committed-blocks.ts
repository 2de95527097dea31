import { genesisLedger } from '#protocol'
import { type DecidedBlock, type TransactionResult, tryDecodeTransaction } from '#records'
import { execute, type LedgerNetwork } from './ledger-network.ts'

/** Every block of a network so far as whoever follows it sees it, with the ledgers around it. */
export function committedBlocks(network: LedgerNetwork) {
  let before = genesisLedger(network.genesis, network.environment)
  return network.blocks.map((block: DecidedBlock) => {
    const { ledger: after, results, l1Events } = execute(before, block, network.environment)
    const committed = {
      block,
      transactions: block.transactions.map(tryDecodeTransaction),
      results: results as readonly TransactionResult[],
      l1Events,
      before,
      after,
      appHash: block.hash,
      executionMs: 5,
    }
    before = after
    return committed
  })
}
