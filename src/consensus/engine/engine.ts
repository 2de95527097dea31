import type { Hex } from '#primitives'
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
  /** CometBFT's addresses of those whose precommits decided the block before, where it says so. */
  readonly previousSigners?: readonly Hex[]
}

/**
 * What keeps a validator whose files are from a backup out of consensus for a while: it may have
 * signed what it does not remember. It follows by decided blocks, and learns where its peers are.
 */
export type Hold = {
  /** Once false, it stays false. */
  isHeld(): boolean
  /**
   * Told the last height that a peer says it has committed, and whether that peer is held itself:
   * then it may have forgotten how far it was.
   */
  heard(from: Hex, height: number, isHeld: boolean): void
}
