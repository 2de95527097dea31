import type { Ledger } from './ledger.ts'

/**
 * What a transition gives: the next ledger, or a reason of `docs/reasons.md` and no change at all.
 */
export type Outcome =
  | { readonly ok: true; readonly ledger: Ledger }
  | { readonly ok: false; readonly reason: string; readonly detail?: string }

/** A transition that was accepted. */
export const accept = (ledger: Ledger): Outcome => ({ ok: true, ledger })

/** A transition that was refused; `detail` names the thing and what is allowed. */
export const refuse = (reason: string, detail?: string): Outcome =>
  detail === undefined ? { ok: false, reason } : { ok: false, reason, detail }

/** What a transition may know of its block: decided values only. */
export type BlockFacts = {
  readonly height: number
  readonly timeMs: number
}
