import { type Clock, DomainError, type Hex, type Logger } from '#primitives'
import type { Application, DecidedBlock, ExecutedBlock } from '#records'
import type {
  Conflict,
  CoreState,
  Output,
  Timeout,
  ValidatorSchedule,
  ValidatorSet,
} from '../core/index.ts'
import type { Hold } from '../engine/index.ts'
import type { Assemblies } from './assembly.ts'
import type { Commit, Header, SealedBlock } from './block.ts'
import type { BlockStore } from './block-store.ts'
import type { ConsensusLog } from './log.ts'
import { encodeMessage, type Message } from './messages.ts'
import type { Signer, Verifier } from './signer.ts'
import type { Link, Transport } from './transport.ts'

/** Everything one validator's engine needs. Log and block store are closed by who opened them. */
export type EngineOptions = {
  /** SHA-256 of the genesis: the chain id in every signature. */
  readonly networkId: Hex
  readonly application: Application
  /** Which files hold the application's state, for words. */
  readonly stateFiles: string
  readonly signer: Signer
  readonly log: ConsensusLog
  readonly blockStore: BlockStore
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly timing?: Partial<Timing>
  /** Absent: it takes part from the start. */
  readonly hold?: Hold
  /** Told once, when the engine cannot go on. */
  readonly onFailure?: (error: unknown) => void
}

/** All in milliseconds. */
export type Timing = {
  /** Between the starts of two blocks, at least, while there is work. */
  readonly blockIntervalMs: number
  /** Between the starts of two blocks, at most. */
  readonly heartbeatMs: number
  /** For the proposer to make a block and it to arrive, in round 0. */
  readonly proposeMs: number
  /** For late prevotes and precommits, in round 0. */
  readonly voteMs: number
  /** Added to each for every round. */
  readonly growthMs: number
  /** Without progress for so long, a validator says where it is, so that others relay. */
  readonly gossipMs: number
}

/** For operators of one process or one data centre. */
export const defaultTiming: Timing = {
  blockIntervalMs: 200,
  heartbeatMs: 1000,
  proposeMs: 1000,
  voteMs: 300,
  growthMs: 500,
  gossipMs: 300,
}

/** A block that this validator has committed. */
export type Decision = {
  readonly block: DecidedBlock
  /** Round whose precommits decided it. */
  readonly round: number
  readonly executed: ExecutedBlock
}

/** The last committed block, and what the next one builds on. */
export type Tip = {
  readonly height: number
  readonly hash: Hex
  readonly timeMs: number
  readonly appHash: Hex
  readonly commit: Commit | undefined
  /** Who decided it; undefined before the first block. */
  readonly validators: ValidatorSet | undefined
  /** Validators of `height + 1` and `height + 2`. */
  readonly schedule: ValidatorSchedule
}

/** stopped → waiting ⇄ running; `waiting` is between two heights; `failed` is final. */
export type Phase = 'stopped' | 'waiting' | 'running' | 'failed'

/** One engine's mutable state, touched only by its own event loop. */
export type Runtime = {
  readonly options: EngineOptions
  readonly timing: Timing
  readonly self: Hex
  readonly verify: Verifier
  /** Puts an own event into the engine's queue. */
  readonly post: (event: EngineEvent) => void
  readonly listeners: Set<(decision: Decision) => void>
  phase: Phase
  /** Set by `stop` and by a failure: nothing starts again. */
  hasEnded: boolean
  /** Whether it only follows; see `Hold`. */
  isHeld: boolean
  link: Link | undefined
  tip: Tip
  core: CoreState
  /** Blocks that proposals of this and the next height refer to. */
  readonly blocks: Map<Hex, SealedBlock>
  /** Blocks whose parts come in, and when each peer was last sent parts of each block. */
  readonly assemblies: Assemblies<Header, Uint8Array>
  readonly servedMs: Map<string, number>
  readonly evidence: Evidence
  /** Admitted transactions that no block has held yet, and the height at which they came. */
  readonly admitted: Map<Hex, number>
  /** Whether a peer said that there is work for the next height. */
  woken: boolean
  /** First block that a peer keeps, of those that were asked for an earlier one. */
  readonly pruned: Map<Hex, number>
  /** When decided blocks may be asked for again. */
  fetchAgainMs: number
  /** When the current height was entered, and when the core last moved. */
  enteredMs: number
  movedMs: number
  /** Cancels every running timer; `pace` is the one that enters the next height. */
  readonly timers: Set<() => void>
  pace: (() => void) | undefined
  /** Whether a `pace` is queued because of an admitted transaction: more would say the same. */
  isPaceAsked: boolean
  readonly counters: Counters
}

/** Double votes seen, and those that blocks already hold; by validator and height. */
export type Evidence = {
  readonly pending: Map<string, Conflict>
  readonly included: Map<string, number>
}

/** Since the start. */
export type Counters = {
  decided: number
  decidedAboveRound0: number
  fetched: number
  /** Messages refused, by reason. */
  readonly refused: Map<string, number>
}

/** What the event loop handles, one at a time. */
export type EngineEvent =
  /** Carry out what the log left open. */
  | { readonly type: 'resume'; readonly open: readonly Output[] }
  | { readonly type: 'message'; readonly from: Hex; readonly message: Message }
  | { readonly type: 'timeout'; readonly timeout: Timeout }
  /** Time to see whether a new height is due. */
  | { readonly type: 'pace' }
  /** Time to see whether there was progress. */
  | { readonly type: 'gossip' }

/** Whether the engine still acts: false once it is stopped or has failed. */
export const isLive = ({ phase }: Runtime): boolean => phase === 'waiting' || phase === 'running'

/** The height that is being decided, or will be next. */
export const workingHeight = ({ tip }: Runtime): number => tip.height + 1

/** Counts and logs a message that is thrown away. */
export function refuse(runtime: Runtime, reason: string, from: Hex): void {
  const { refused } = runtime.counters
  refused.set(reason, (refused.get(reason) ?? 0) + 1)
  runtime.options.logger.debug('message refused', { reason, from })
}

/** Sends a message to one peer. */
export const sendTo = ({ link }: Runtime, to: Hex, message: Message): void =>
  link?.send(to, encodeMessage(message))

/** Sends a message to every peer. */
export const sendToAll = ({ link }: Runtime, message: Message): void =>
  link?.broadcast(encodeMessage(message))

/** Runs an event after a delay, unless the engine ends before. The result cancels it. */
export function schedule(runtime: Runtime, delayMs: number, event: EngineEvent): () => void {
  const stop = runtime.options.clock.after(delayMs, () => {
    runtime.timers.delete(stop)
    runtime.post(event)
  })
  runtime.timers.add(stop)
  return () => {
    runtime.timers.delete(stop)
    stop()
  }
}

/** Two engines of one network computed different states: this one stops before it does harm. */
export class AppHashDivergedError extends DomainError<
  'AppHashDiverged',
  { height: number; ours: Hex; decided: Hex }
> {
  override readonly code = 'AppHashDiverged'
}
