import type { Hex } from '#primitives'

/**
 * sent: no answer yet · accepted: its hash or id was returned · refused: with a reason ·
 * unanswered: no gateway answered, so that only the chain can tell.
 */
export type SentStatus = 'sent' | 'accepted' | 'refused' | 'unanswered'

/** One transaction or task that was offered to the network. */
export type Sent = {
  /** Hash of the transaction, id of the task. */
  readonly id: Hex
  /** When it was due to be sent: an answer that delays the next one does not shorten its time. */
  readonly requestedMs: number
  readonly status: SentStatus
  /** Why it was refused; empty otherwise. */
  readonly reason: string
  /** Whether a gateway that did not answer may have taken it before the one that did. */
  readonly isUncertain: boolean
  /** Which gateway answered, and when. */
  readonly answered?: { readonly gateway: string; readonly atMs: number }
}

/** Everything that a load has offered, by id. */
export type LoadRecords = {
  readonly transactions: Map<Hex, Sent>
  readonly tasks: Map<Hex, Sent>
  /** When the first was offered, and when offering ended; 0 before. */
  readonly span: { startMs: number; stopMs: number }
  /** Offers that were not sent, by reason. */
  readonly unsent: {
    readonly transactions: Map<string, number>
    readonly tasks: Map<string, number>
  }
}

/** The records of a load that has sent nothing yet. */
export const emptyRecords = (): LoadRecords => ({
  transactions: new Map(),
  tasks: new Map(),
  span: { startMs: 0, stopMs: 0 },
  unsent: { transactions: new Map(), tasks: new Map() },
})

/** One more of a reason. */
export function countReason(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1)
}
