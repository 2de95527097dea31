import type { Hex } from '#primitives'

/**
 * What happened to one transaction or task of a load. Times are when it was seen from outside, in
 * milliseconds since the epoch; undefined: it was not.
 */
export type SubjectFacts = {
  readonly requestedMs: number
  /** Why it was refused, or was dropped after it had been accepted; undefined: neither. */
  readonly refused?: string | undefined
  readonly certifiedMs?: number | undefined
  readonly onL1Ms?: number | undefined
}

/** A transaction: confirmed by the first L2 block that lists it. */
export type TransactionFacts = SubjectFacts & { readonly confirmedMs?: number | undefined }

/** A task: agreed by its committee, on L1 when its leaf is executed, then settled; or expired. */
export type TaskFacts = SubjectFacts & {
  readonly agreedMs?: number | undefined
  readonly settledMs?: number | undefined
  readonly expired?: string | undefined
}

/** Who had which part of all committee places in an epoch, when it was last seen. */
export type AllocationFacts = {
  readonly epoch: number
  /** Block time. */
  readonly timeMs: number
  /** By operator; together 1. */
  readonly shares: Readonly<Record<string, number>>
}

/** How the network fared while nobody reached L1, and after it. */
export type OutageFacts = {
  readonly seconds: number
  /** Blocks decided and checkpoints certified meanwhile. */
  readonly blocks: number
  readonly certified: number
  /** Checkpoints that L1 recorded meanwhile: those that were on their way. */
  readonly recorded: number
  /**
   * How many checkpoints L1 had to record until all that had been certified was there, and how long
   * that took from its return; left out when it never was.
   */
  readonly caughtUpBy?: number
  readonly caughtUpMs?: number
}

/** Everything that was seen of a run, from outside. */
export type RunFacts = {
  readonly operators: number
  readonly engine: string
  /** How long was sent. */
  readonly seconds: number
  /** Blocks that were decided in that time. */
  readonly blocks: number
  readonly blocksAboveRound0: number
  readonly allocations: readonly AllocationFacts[]
  readonly transactions: readonly TransactionFacts[]
  readonly tasks: readonly TaskFacts[]
  /** Offers that were never sent, by reason. */
  readonly unsent: {
    readonly transactions: Readonly<Record<string, number>>
    readonly tasks: Readonly<Record<string, number>>
  }
  readonly checkpoints: {
    readonly certified: number
    /** Submission window and gas of each that L1 recorded. */
    readonly recorded: readonly { readonly window: number; readonly gas: number }[]
    readonly missedWindows: number
  }
  readonly outages: readonly OutageFacts[]
  /** Transactions, tasks and leaves (by index) that were seen twice. */
  readonly repeated: readonly (Hex | number)[]
}
