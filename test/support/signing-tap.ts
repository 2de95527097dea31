// Holds everything that operators sign and send to each other against what they signed before.
import { type DropRule, decodeMessage, type Message } from '#consensus'
import type { CommittedBlock } from '#node'
import { sha256Hex, utf8 } from '#primitives'
import { reportDigest, type Transaction, tryDecodeTransaction } from '#records'
import { sessionDigest } from '#threshold'
import type { SigningChecker } from './signing-checker.ts'

/** A transport's rule that loses nothing and shows every message to a checker, once. */
export function tapInto(
  checker: SigningChecker,
  onMessage: (message: Message) => void = () => {},
): DropRule {
  const seen = new WeakSet<Uint8Array>()
  return (_from, _to, bytes) => {
    if (seen.has(bytes)) return false
    seen.add(bytes)
    const message = decodeMessage(bytes)
    checkMessage(checker, message)
    onMessage(message)
    return false
  }
}

function checkMessage(checker: SigningChecker, message: Message): void {
  if (message.kind === 'proposal') {
    const { proposer, height, round, value, validRound } = message.proposal
    const digest = sha256Hex(utf8(`${value} ${validRound}`))
    checker.signed('proposal', `${proposer} ${height} ${round}`, digest)
  }
  if (message.kind === 'votes')
    for (const { validator, height, round, step, value } of message.votes)
      checker.signed('vote', `${validator} ${height} ${round} ${step}`, value ?? '0x')
  if (message.kind === 'transaction') checkReport(checker, tryDecodeTransaction(message.bytes))
}

function checkReport(checker: SigningChecker, transaction: Transaction | undefined): void {
  if (transaction?.kind !== 'report') return
  const { report } = transaction
  checker.signed('report', `${report.operator} ${report.sequence}`, reportDigest(report))
}

/** Shows a checker the threshold shares that a block holds, by the nonces they used up. */
export function checkShares(
  checker: SigningChecker,
  { transactions, before }: CommittedBlock,
): void {
  for (const transaction of transactions) {
    checkReport(checker, transaction)
    if (transaction?.kind !== 'report') continue
    const { operator, instance, statements } = transaction.report
    for (const statement of statements) {
      if (statement.kind !== 'share') continue
      const session = before.sessions.get(String(statement.checkpoint))
      const signer = session?.signers.find((one) => one.operator === operator)
      if (!session || session.attempt !== statement.attempt || !signer) continue
      const position = `${operator} ${instance} ${signer.nonce.index}`
      checker.signed('nonce', position, sessionDigest(session))
    }
  }
}
