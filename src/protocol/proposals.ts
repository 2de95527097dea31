import { fromHex } from '#primitives'
import { type ProposedBlock, type Transaction, taskDigest, tryDecodeTransaction } from '#records'
import type { Environment } from './environment.ts'
import { type Ledger, operatorsOf } from './ledger.ts'
import { randomnessAlpha } from './transitions/randomness.ts'
import { judgeReport } from './transitions/report.ts'

/**
 * What is wrong with a proposed block whatever the transactions before it did: encodings,
 * signatures, the proposer's randomness. It executes nothing, and the ledger does not rely on it.
 */
export function proposalFault(
  ledger: Ledger,
  block: ProposedBlock,
  environment: Environment,
): string | undefined {
  if (block.transactions.length === 0) return undefined
  const [first, ...others] = block.transactions.map(tryDecodeTransaction)
  if (first?.kind !== 'randomness') return 'NoRandomness'
  for (const transaction of others) {
    const fault = transactionFault(ledger, transaction, environment)
    if (fault !== undefined) return fault
  }
  return randomnessFault(ledger, first, block, environment)
}

function randomnessFault(
  ledger: Ledger,
  { proof }: Transaction & { kind: 'randomness' },
  { proposer: key, height }: ProposedBlock,
  environment: Environment,
): string | undefined {
  const proposer = operatorsOf(ledger).find(({ consensusKey }) => consensusKey === key)
  if (!proposer) return 'UnknownOperator'
  const alpha = randomnessAlpha(ledger.constants.network, height)
  const beta = environment.verifyRandomness(proposer.vrfKey, alpha, fromHex(proof))
  return beta ? undefined : 'BadRandomness'
}

function transactionFault(
  ledger: Ledger,
  transaction: Transaction | undefined,
  environment: Environment,
): string | undefined {
  switch (transaction?.kind) {
    case undefined:
      return 'BadEncoding'
    case 'randomness':
      return 'Misplaced'
    case 'report': {
      const judged = judgeReport(ledger, transaction, environment)
      // Whether a sequence is stale depends on state: the ledger refuses it, not the block.
      return judged.ok || judged.reason === 'StaleSequence' ? undefined : judged.reason
    }
    case 'task': {
      const { request, signature } = transaction
      const digest = taskDigest(ledger.constants.network, request)
      const isSigned = environment.recoverAddress(digest, signature) === request.client
      return isSigned ? undefined : 'BadSignature'
    }
    case 'call': {
      const service = environment.services.get(transaction.service)
      if (!service || !('begin' in service)) return 'UnknownService'
      const verdict = service.check(transaction.payload)
      return verdict.ok ? undefined : verdict.reason
    }
    case 'l1-events':
      return undefined
  }
}
