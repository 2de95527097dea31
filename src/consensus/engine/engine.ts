import type { DecidedBlock, ExecutedBlock, Verdict } from '#records'

/** What decides blocks for one operator, whichever of the engines it is. */
export type ConsensusEngine = {
  /** Recovers, then takes part. Once. */
  start(): Promise<void>
  /** Takes part no more; resolves once nothing of the application is called any more. */
  stop(): Promise<void>
  /** Offers a transaction to the local application; an admitted one reaches the other operators. */
  submit(transaction: Uint8Array): Promise<Verdict>
  status(): ConsensusStatus
  /** Calls back after each commit; the result ends it. */
  onDecided(listener: (decision: ConsensusDecision) => void): () => void
}

/** The last committed block; height and time are 0 before the first. */
export type ConsensusStatus = { readonly height: number; readonly timeMs: number }

/** A block that this operator has committed. */
export type ConsensusDecision = {
  readonly block: DecidedBlock
  readonly executed: ExecutedBlock
  /**
   * Round whose precommits decided it; undefined where the engine tells that with the next block.
   */
  readonly round: number | undefined
  /** Of the block before, where it was not told with that. */
  readonly previousRound?: number
}
