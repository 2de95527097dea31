import { keccak256, toHex } from '#primitives'
import { type Environment, judgeReport, type Ledger } from '#protocol'
import { encodeTransaction, type OperatorId, type Transaction } from '#records'

type ReportTransaction = Transaction & { readonly kind: 'report' }

/** What one operator holds for its next block: one report of each, and each other thing once. */
export type Pool = {
  readonly reports: Map<OperatorId, ReportTransaction>
  readonly others: Map<string, Transaction>
}

/** An empty pool. */
export const createPool = (): Pool => ({ reports: new Map(), others: new Map() })

/** Most tasks and calls in one block. */
const othersPerBlock = 4

/**
 * Takes what an operator hears into its pool, by the rules of the node's own: a report is checked
 * for who says it, and the newest stays.
 */
export function admit(
  pool: Pool,
  transaction: Transaction,
  ledger: Ledger,
  environment: Environment,
): void {
  if (transaction.kind !== 'report') {
    pool.others.set(nameOf(transaction), transaction)
    return
  }
  const { operator, sequence } = transaction.report
  const waiting = pool.reports.get(operator)
  if (waiting && waiting.report.sequence >= sequence) return
  if (judgeReport(ledger, transaction, environment).ok) pool.reports.set(operator, transaction)
}

/** Takes anything, as one does who wants to do harm with it. */
export function hoard({ reports, others }: Pool, transaction: Transaction): void {
  if (transaction.kind === 'report') reports.set(transaction.report.operator, transaction)
  else others.set(nameOf(transaction), transaction)
}

/** Forgets what a block has held. */
export function drop({ reports, others }: Pool, transactions: readonly Transaction[]): void {
  for (const one of transactions)
    if (one.kind !== 'report') others.delete(nameOf(one))
    else if ((reports.get(one.report.operator)?.report.sequence ?? 0) <= one.report.sequence)
      reports.delete(one.report.operator)
}

/** What a proposer takes from its pool. */
export const chosen = ({ reports, others }: Pool): readonly Transaction[] => [
  ...reports.values(),
  ...[...others.values()].slice(0, othersPerBlock),
]

const nameOf = (one: Transaction): string => toHex(keccak256(encodeTransaction(one)))
