// What one operator sends, as its peers hear it: every signature that ever leaves it.
import { decodeMessage, type Link, type Message, type Transport } from '#consensus'
import type { Hex } from '#primitives'
import type { Ledger } from '#protocol'
import { type OperatorId, reportDigest, type Statement, tryDecodeTransaction } from '#records'
import type { SigningChecker } from '../support/signing-checker.ts'

/** Shows an operator's messages to a checker before they go out. */
export type Tap = {
  /** The same transport, listened to for one operator. */
  readonly through: (transport: Transport) => Transport
  /** Tells which nonce of the operator a signing session uses. */
  readonly learn: (ledger: Ledger) => void
}

/** @param operator - whose reports are looked at; its votes are those that it sends as its own. */
export function createTap(operator: OperatorId, checker: SigningChecker): Tap {
  const nonces = new Map<string, { readonly nonce: string; readonly message: Hex }>()
  const hear = (self: Hex, message: Message): void => {
    if (message.kind === 'votes')
      for (const { validator, height, round, step, value } of message.votes)
        if (validator === self)
          checker.signed('vote', `${height} ${round} ${step}`, value ?? nothing)
    if (message.kind === 'proposal' && message.proposal.proposer === self) {
      const { height, round, value } = message.proposal
      checker.signed('vote', `${height} ${round} proposal`, value)
    }
    if (message.kind === 'transaction') hearTransaction(message.bytes)
  }
  const hearTransaction = (bytes: Uint8Array): void => {
    const transaction = tryDecodeTransaction(bytes)
    if (transaction?.kind !== 'report' || transaction.report.operator !== operator) return
    const { report } = transaction
    checker.signed('report', String(report.sequence), reportDigest(report))
    for (const statement of report.statements) hearShare(statement)
  }
  const hearShare = (statement: Statement): void => {
    if (statement.kind !== 'share') return
    const used = nonces.get(`${statement.checkpoint} ${statement.attempt}`)
    if (used) checker.signed('nonce', used.nonce, used.message)
  }
  return {
    through: (transport) => ({
      ...transport,
      join(self, receive) {
        const link = transport.join(self, receive)
        return tapped(link, (bytes) => hear(self, decodeMessage(bytes)))
      },
    }),
    learn({ sessions }) {
      for (const { checkpoint, attempt, message, signers } of sessions.values()) {
        const own = signers.find((signer) => signer.operator === operator)
        if (own) nonces.set(`${checkpoint} ${attempt}`, { nonce: own.nonce.hiding, message })
      }
    },
  }
}

/** A vote for no block. */
const nothing: Hex = '0x'

const tapped = (link: Link, hear: (bytes: Uint8Array) => void): Link => ({
  ...link,
  send(to, bytes) {
    hear(bytes)
    link.send(to, bytes)
  },
  broadcast(bytes) {
    hear(bytes)
    link.broadcast(bytes)
  },
})
