import { unreachable } from '#primitives'
import { type Operator, reportDigest, type Statement, type Transaction } from '#records'
import type { Environment } from '../environment.ts'
import { type Ledger, operatorOf, withOperator } from '../ledger.ts'
import { accept, type BlockFacts, type Outcome, refuse } from '../outcome.ts'
import { enter } from '../rules/allocation/competition.ts'
import { commit } from './commit.ts'
import { declare } from './declare.ts'
import { publishNonces, voidNonces } from './nonces.ts'
import { reveal } from './reveal.ts'
import { share } from './share.ts'
import { view } from './view.ts'
import { vote } from './vote.ts'

/**
 * Takes an operator's report: its signature and sequence decide over the whole, then each statement
 * is taken or left by itself, since what it answers may have closed while it was under way. A
 * report without any statement that is taken, and without a new instance, is refused.
 *
 * A jailed operator goes on speaking: it owes what it was drawn for, and the group may need its
 * share.
 */
export function report(
  ledger: Ledger,
  transaction: Transaction & { kind: 'report' },
  block: BlockFacts,
  environment: Environment,
): Outcome {
  const judged = judgeReport(ledger, transaction, environment)
  if (!judged.ok) return judged
  const { operator } = judged
  const { report: said } = transaction
  const isNewInstance = said.instance !== operator.instance
  let next = isNewInstance ? voidNonces(ledger, operator) : ledger
  let isTaken = isNewInstance
  let refusal = refuse('NothingNew')
  for (const [place, statement] of said.statements.entries()) {
    const speaker = operatorOf(next, said.operator) ?? operator
    const outcome = takeStatement(next, speaker, statement, block, environment)
    if (outcome.ok) next = outcome.ledger
    else if (place === 0) refusal = outcome
    isTaken ||= outcome.ok
  }
  if (!isTaken) return refusal
  const { sequence, instance } = said
  const speaker = operatorOf(next, said.operator) ?? operator
  return accept(withOperator(next, { ...speaker, sequence, instance }))
}

/**
 * What does not depend on the report's statements: who speaks, for which network, and after what.
 */
export function judgeReport(
  ledger: Ledger,
  { report: said, signature }: Transaction & { kind: 'report' },
  environment: Environment,
): { readonly ok: true; readonly operator: Operator } | (Outcome & { ok: false }) {
  const operator = operatorOf(ledger, said.operator)
  if (said.network !== ledger.constants.network) return { ok: false, reason: 'WrongNetwork' }
  if (!operator) return { ok: false, reason: 'UnknownOperator' }
  if (said.sequence <= operator.sequence) return { ok: false, reason: 'StaleSequence' }
  if (environment.recoverAddress(reportDigest(said), signature) !== operator.ledgerAddress)
    return { ok: false, reason: 'BadSignature' }
  return { ok: true, operator }
}

function takeStatement(
  ledger: Ledger,
  operator: Operator,
  statement: Statement,
  block: BlockFacts,
  environment: Environment,
): Outcome {
  switch (statement.kind) {
    case 'commit':
      return commit(ledger, operator, statement, block)
    case 'reveal':
      return reveal(ledger, operator, statement, environment)
    case 'nonces':
      return publishNonces(ledger, operator, statement)
    case 'share':
      return share(ledger, operator, statement)
    case 'view':
      return view(ledger, operator, statement)
    case 'vote':
      return vote(ledger, operator, statement, block)
    case 'allocation':
      return enter(ledger, operator.id, statement.proposal)
    case 'declare':
      return declare(ledger, operator, statement)
    default:
      return unreachable(statement)
  }
}
