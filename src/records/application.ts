import type { Hex } from '#primitives'

/** A validator as consensus sees it. */
export type Validator = {
  /** ed25519 public key, 32 bytes. */
  readonly consensusKey: Hex
  readonly power: bigint
}

/** A duplicate vote or similar, proven by signatures that consensus checked. */
export type Misbehaviour = {
  readonly consensusKey: Hex
  readonly height: number
}

/** What a block is, before and while it is decided. */
export type ProposedBlock = {
  readonly height: number
  readonly timeMs: number
  /** Consensus key of its proposer. */
  readonly proposer: Hex
  readonly transactions: readonly Uint8Array[]
  readonly misbehaviour: readonly Misbehaviour[]
}

/** A block that consensus decided. */
export type DecidedBlock = ProposedBlock & { readonly hash: Hex }

/** A refusal has a code of `docs/reasons.md`; `detail` is for people. */
export type Verdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: string; readonly detail?: string }

/** Refusals of `checkTransaction` that say: it is in the mempool already. */
const waitingReasons: ReadonlySet<string> = new Set(['AlreadyKnown', 'AlreadyWaiting'])

/** Whether a transaction was refused only because it waits already. */
export const isWaiting = (verdict: Verdict): boolean =>
  !verdict.ok && waitingReasons.has(verdict.reason)

/** What executing one transaction gave. */
export type TransactionResult = Verdict

/** What executing a block gave. */
export type ExecutedBlock = {
  readonly appHash: Hex
  readonly results: readonly TransactionResult[]
  /** Changed validators only; in force at height + 2; power 0 removes. */
  readonly validatorUpdates: readonly Validator[]
}

/**
 * The one seam to consensus: ABCI 2.0's methods on plain types. Both engines call the same object.
 * Calls of one application never overlap, but for `checkTransaction` and `info`.
 */
export type Application = {
  /** Last committed height (0: only genesis) and its app hash. */
  info(): Promise<{ readonly height: number; readonly appHash: Hex }>
  /**
   * Keys of everyone who has, had or will have a vote, by committed state alone: CometBFT calls
   * proposers and offenders by an address, the beginning of their key's hash.
   */
  consensusKeys(): readonly Hex[]
  /** Called at each start of a chain without blocks. */
  initChain(): Promise<{ readonly appHash: Hex; readonly validators: readonly Validator[] }>
  /**
   * Admits a transaction to the application's mempool; the engine passes admitted ones to peers.
   */
  checkTransaction(bytes: Uint8Array): Promise<Verdict>
  /**
   * Whether an admitted transaction still waits for a block: who passes it on may forget it else.
   */
  holdsTransaction(bytes: Uint8Array): boolean
  /** What this proposer wants in the block; total size at most `maxBytes`. */
  prepareProposal(input: {
    readonly height: number
    readonly timeMs: number
    readonly maxBytes: number
  }): Promise<readonly Uint8Array[]>
  /** Refuses stateless faults only; never executes. */
  processProposal(block: ProposedBlock): Promise<Verdict>
  /** Executes a decided block; persists nothing. */
  finalizeBlock(block: DecidedBlock): Promise<ExecutedBlock>
  /** Makes what `finalizeBlock` computed durable. */
  commit(): Promise<void>
  /**
   * When the next block has something to do: a time that is past means now, undefined means not
   * before a transaction arrives. Engines without wake-ups rely on their heartbeat instead.
   */
  workDueMs(): number | undefined
}
