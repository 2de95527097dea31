// What operators send to each other, as their peers hear it: every signature that ever leaves them.
import { decodeMessage, type Link, type Message, type Transport } from '#consensus'
import { type Hex, setBounded, sha256Hex, utf8 } from '#primitives'
import type { Ledger } from '#protocol'
import { type Report, reportDigest, type Statement, tryDecodeTransaction } from '#records'
import type { SigningChecker } from '../support/signing-checker.ts'

/** Shows what operators send to a checker, before it goes out. */
export type Tap = {
  /** The same transport, listened to: whoever joins by it is heard. */
  readonly through: (transport: Transport) => Transport
  /** Tells which nonces the signing sessions of a committed ledger use. */
  readonly learn: (ledger: Ledger) => void
}

/** Shares whose session is not known yet, and sessions that are remembered. */
const maxKept = 4096

/**
 * @param signed - told of votes and proposals, reports, threshold shares by their session and
 * attempt, and threshold nonces with the message that each was used for.
 */
export function createTap(signed: SigningChecker['signed']): Tap {
  const sessions = new Map<string, ReadonlyMap<number, Hex>>()
  const messages = new Map<string, Hex>()
  const early = new Map<string, { readonly operator: number; readonly session: string }>()
  const useNonce = (operator: number, session: string): boolean => {
    const nonce = sessions.get(session)?.get(operator)
    const message = messages.get(session)
    if (nonce && message) signed('nonce', `${operator} ${nonce}`, message)
    return nonce !== undefined
  }
  const hearShare = (operator: number, statement: Statement): void => {
    if (statement.kind !== 'share') return
    const session = `${statement.checkpoint} ${statement.attempt}`
    signed('share', `${operator} ${session}`, statement.share)
    if (!useNonce(operator, session))
      setBounded(early, `${operator} ${session}`, { operator, session }, maxKept)
  }
  const hearReport = (report: Report): void => {
    const { operator, sequence, statements } = report
    signed('report', `${operator} ${sequence}`, reportDigest(report))
    for (const statement of statements) hearShare(operator, statement)
  }
  const hear = (self: Hex, message: Message): void => {
    if (message.kind === 'votes') hearVotes(signed, self, message)
    if (message.kind === 'proposal') hearProposal(signed, self, message)
    if (message.kind !== 'transaction') return
    const transaction = tryDecodeTransaction(message.bytes)
    if (transaction?.kind === 'report') hearReport(transaction.report)
  }
  return {
    through: (transport) => ({
      ...transport,
      join(self, receive) {
        const link = transport.join(self, receive)
        return tapped(link, (bytes) => hear(self, decodeMessage(bytes)))
      },
    }),
    learn(ledger) {
      for (const { checkpoint, attempt, message, signers } of ledger.sessions.values()) {
        const session = `${checkpoint} ${attempt}`
        if (messages.has(session)) continue
        const nonces = new Map(signers.map(({ operator, nonce }) => [operator, nonce.hiding]))
        setBounded(messages, session, message, maxKept)
        setBounded(sessions, session, nonces, maxKept)
      }
      for (const [key, { operator, session }] of early)
        if (useNonce(operator, session)) early.delete(key)
    },
  }
}

/** A vote for no block. */
const nothing: Hex = '0x'

/** Votes that an operator relays are its peers' to answer for. */
function hearVotes(
  signed: SigningChecker['signed'],
  self: Hex,
  { votes }: Message & { kind: 'votes' },
): void {
  for (const { validator, height, round, step, value } of votes)
    if (validator === self)
      signed('vote', `${validator} ${height} ${round} ${step}`, value ?? nothing)
}

function hearProposal(
  signed: SigningChecker['signed'],
  self: Hex,
  { proposal: { proposer, height, round, value, validRound } }: Message & { kind: 'proposal' },
): void {
  const digest = sha256Hex(utf8(`${value} ${validRound}`))
  if (proposer === self) signed('vote', `${proposer} ${height} ${round} proposal`, digest)
}

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
