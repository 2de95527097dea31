import {
  createL1Account,
  createL1Client,
  createL1Listener,
  type L1Account,
  type L1Client,
  type L1Listener,
  signerFromKey,
} from '#ethereum'
import { type Hex, type Logger, toHex } from '#primitives'
import { parameter } from '#protocol'
import type { LedgerApplication } from './application.ts'
import type { Guard } from './guard/guard.ts'
import { transactionGuard } from './guard/transaction-guard.ts'
import { l1Actions } from './l1-actions.ts'
import type { L1Actions } from './l1-duties.ts'
import type { Metrics } from './metrics.ts'
import type { OperatorOptions } from './operator-parts.ts'

/** How often an operator looks for new L1 blocks. */
const pollMs = 400
/** What an earlier process left in L1's pool is waited for so long: as many blocks as its own. */
const patienceMs = 64_000

/** One operator's side of L1: what it sees, and what it does with its account. */
export function createL1Parts(
  { id: operator, genesis, secrets, l1Url, clock, logger }: OperatorOptions,
  application: LedgerApplication,
  guard: Guard,
  metrics: Metrics,
): { readonly listener: L1Listener; readonly account: L1Account; readonly actions: L1Actions } {
  const client = createL1Client(l1Url)
  const { outbox, serviceManager, l1ChainId: chainId, l1StartBlock: startBlock } = genesis
  const signer = signerFromKey(toHex(secrets.l1Secret))
  const { address } = signer
  const account = createL1Account({
    ...{ client, signer, chainId, clock, logger },
    beforeSign: transactionGuard({
      ...{ guard, nowMs: () => clock.nowMs(), patienceMs, logger },
      pendingCount: () => client.getTransactionCount({ address, blockTag: 'pending' }),
    }),
    onEnded: (nonce) => guard.transactions.release(nonce),
  })
  const listener = createL1Listener({
    ...{ client, outbox, serviceManager, startBlock, clock, logger, pollMs },
    depth: () => parameter(application.ledger, 'l1DepthBlocks'),
    agreed: () => application.ledger.chain.l1,
  })
  const readBalance = () => void recordBalance(client, account.address, metrics, logger)
  readBalance()
  const actions = l1Actions({ client, account, outbox, clock, logger }, operator, {
    submitted: (outcome) => {
      metrics.l1Submissions.inc({ outcome })
      readBalance()
    },
    delivered: (outcome) => metrics.l1Deliveries.inc({ outcome }),
  })
  return { listener, account, actions }
}

/** Only our own transactions take from the balance, so it is read after each of them. */
async function recordBalance(
  client: L1Client,
  address: Hex,
  metrics: Metrics,
  logger: Logger,
): Promise<void> {
  try {
    metrics.l1Balance.set(Number(await client.getBalance({ address })))
  } catch (error) {
    logger.debug('L1 balance not read', { error })
  }
}
